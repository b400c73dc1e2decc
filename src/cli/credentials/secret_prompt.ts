import { escapeForTerminal } from "../../core/escape.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { printToStderr } from "../output.ts";

/** Longer than any secret that a header takes. */
const LONGEST = 16_384;

const NOTHING_GIVEN = err({ code: "DECLINED", message: "Nothing was written" });

/**
 * Asks for a secret at the terminal, without showing it; without a terminal it is read from standard
 * input whole. It never stands on a command line, where every program could read it.
 */
export async function readSecret(question: string): Promise<Result<string>> {
  if (!Deno.stdin.isTerminal()) return await readWhole();
  printToStderr(`${escapeForTerminal(question)} (it is not shown): `);
  // Signals still arrive: who presses Ctrl+C has a terminal that echoes again.
  Deno.stdin.setRaw(true, { cbreak: true });
  const restore = () => {
    Deno.stdin.setRaw(false);
    Deno.exit(130);
  };
  Deno.addSignalListener("SIGINT", restore);
  try {
    const typed = await readTyped();
    printToStderr("\n");
    return typed === "" ? NOTHING_GIVEN : ok(typed);
  } finally {
    Deno.removeSignalListener("SIGINT", restore);
    Deno.stdin.setRaw(false);
  }
}

const BACKSPACES = new Set([0x08, 0x7f]);
const ENDS = new Set([0x04, 0x0a, 0x0d]);

async function readTyped(): Promise<string> {
  const buffer = new Uint8Array(256);
  const typed: number[] = [];
  while (typed.length < LONGEST) {
    const length = await Deno.stdin.read(buffer);
    if (length === null) break;
    for (const byte of buffer.subarray(0, length)) {
      if (ENDS.has(byte)) return textOf(typed);
      if (BACKSPACES.has(byte)) typed.pop();
      else typed.push(byte);
    }
  }
  return textOf(typed);
}

async function readWhole(): Promise<Result<string>> {
  const bytes: number[] = [];
  for await (const chunk of Deno.stdin.readable) {
    bytes.push(...chunk);
    if (bytes.length > LONGEST) {
      return err({
        code: "USAGE",
        message: "Cannot use what came on standard input: it is longer than 16 KiB",
      });
    }
  }
  const text = textOf(bytes);
  return text === "" ? NOTHING_GIVEN : ok(text);
}

function textOf(bytes: readonly number[]): string {
  return new TextDecoder().decode(Uint8Array.from(bytes)).trim();
}
