import { escapeForTerminal } from "../core/escape.ts";
import { printToStderr } from "./output.ts";

const LINE_FEED = 10;

/** Longer than any answer. */
const MAX_ANSWER = 4_096;

/** Reads a line byte by byte: what comes behind it is for the agent. `undefined` at the end of input. */
export function readLine(): string | undefined {
  const byte = new Uint8Array(1);
  const line: number[] = [];
  while (line.length < MAX_ANSWER) {
    if (Deno.stdin.readSync(byte) === null) {
      if (line.length === 0) return undefined;
      break;
    }
    if (byte[0] === LINE_FEED) break;
    line.push(byte[0]!);
  }
  return new TextDecoder().decode(Uint8Array.from(line)).trim();
}

/** Explains something and asks about it at the terminal; an empty answer is yes, the end of input no. */
export function confirm(explanation: readonly string[], question: string): Promise<boolean> {
  const [title, ...lines] = explanation.map(escapeForTerminal);
  printToStderr([`firma: ${title}`, ...lines.map((line) => `  ${line}`)].join("\n") + "\n");
  for (;;) {
    printToStderr(`${escapeForTerminal(question)} [Y/n] `);
    const answer = readLine()?.toLowerCase();
    if (answer === undefined) printToStderr("\n");
    if (answer === undefined || answer === "n" || answer === "no") return Promise.resolve(false);
    if (answer === "" || answer === "y" || answer === "yes") return Promise.resolve(true);
  }
}
