/** A key as a view knows it. A printable character is itself. */
export type Key =
  | "up"
  | "down"
  | "left"
  | "right"
  | "page-up"
  | "page-down"
  | "home"
  | "end"
  | "enter"
  | "tab"
  | "escape"
  | "backspace"
  | "clear"
  | "interrupt"
  | "suspend"
  | "redraw"
  | { readonly char: string };

const SEQUENCES: Readonly<Record<string, Key>> = {
  "[A": "up",
  "[B": "down",
  "[C": "right",
  "[D": "left",
  "OA": "up",
  "OB": "down",
  "OC": "right",
  "OD": "left",
  "[5~": "page-up",
  "[6~": "page-down",
  "[H": "home",
  "[F": "end",
  "OH": "home",
  "OF": "end",
  "[1~": "home",
  "[4~": "end",
  "[7~": "home",
  "[8~": "end",
};

const CONTROLS: Readonly<Record<number, Key>> = {
  0x02: "page-up",
  0x03: "interrupt",
  0x06: "page-down",
  0x08: "backspace",
  0x09: "tab",
  0x0a: "enter",
  0x0c: "redraw",
  0x0d: "enter",
  0x15: "clear",
  0x1a: "suspend",
  0x7f: "backspace",
};

/** A sequence of a terminal that is not whole: CSI or SS3 without its last byte (ECMA-48, 5.4). */
const OPEN = /^(\[[0-?]*[ -/]*|O)?$/;
// deno-lint-ignore no-control-regex -- the introducer of sequences is a control
const SEQUENCE = /^\x1b(\[[0-?]*[ -/]*[@-~]|O[@-~])/;

/** Turns what a terminal sends into keys; sequences may come in pieces. */
export class KeyReader {
  readonly #decoder = new TextDecoder();
  #rest = "";

  /** The keys in `bytes`. An escape that nothing follows is held back until {@linkcode flush}. */
  read(bytes: Uint8Array): Key[] {
    let text = this.#rest + this.#decoder.decode(bytes, { stream: true });
    this.#rest = "";
    const keys: Key[] = [];
    while (text !== "") {
      if (text[0] === "\x1b") {
        const sequence = SEQUENCE.exec(text);
        if (sequence) {
          const key = SEQUENCES[sequence[1]!];
          if (key !== undefined) keys.push(key);
          text = text.slice(sequence[0].length);
          continue;
        }
        if (OPEN.test(text.slice(1)) && text.length < 32) {
          this.#rest = text;
          break;
        }
        keys.push("escape");
        text = text.slice(1);
        continue;
      }
      const char = String.fromCodePoint(text.codePointAt(0)!);
      text = text.slice(char.length);
      const code = char.codePointAt(0)!;
      if (code >= 0x20 && code !== 0x7f && !(code >= 0x80 && code < 0xa0)) keys.push({ char });
      else if (CONTROLS[code] !== undefined) keys.push(CONTROLS[code]);
    }
    return keys;
  }

  /** Whether something is held back that may be the Escape key alone. */
  get isPending(): boolean {
    return this.#rest !== "";
  }

  /** Nothing more came: what was held back is the Escape key. */
  flush(): Key[] {
    if (this.#rest === "") return [];
    this.#rest = "";
    return ["escape"];
  }
}
