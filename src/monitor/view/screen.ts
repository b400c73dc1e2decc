import { encodeLine, type Line } from "./line.ts";

const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
const LEAVE = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";
/** Terminals that know it show what is between the two at once (synchronized output). */
const BEGIN = "\x1b[?2026h";
const END = "\x1b[?2026l";

/** Turns pictures into what a terminal has to be sent: the lines that changed since the last one. */
export class Screen {
  readonly #colours: boolean;
  #shown: string[] = [];

  constructor(colours: boolean) {
    this.#colours = colours;
  }

  /** Takes the terminal: another buffer, no cursor, no wrapping. */
  enter(): string {
    this.#shown = [];
    return ENTER;
  }

  /** Gives the terminal back as it was. */
  leave(): string {
    this.#shown = [];
    return LEAVE;
  }

  /** Forgets what is shown: the next picture is drawn whole. */
  forget(): void {
    this.#shown = [];
  }

  /** What makes the terminal show `lines`; `""` when it does already. */
  draw(lines: readonly Line[]): string {
    const next = lines.map((line) => encodeLine(line, this.#colours));
    let text = next.length < this.#shown.length ? `\x1b[${next.length + 1};1H\x1b[J` : "";
    next.forEach((line, row) => {
      // Erased first: behind a full line the cursor stands on its last column.
      if (line !== this.#shown[row]) text += `\x1b[${row + 1};1H\x1b[2K${line}`;
    });
    this.#shown = next;
    return text === "" ? "" : `${BEGIN}${text}${END}`;
  }
}
