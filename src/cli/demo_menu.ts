import type { Scenario } from "../demo/scenario.ts";
import { print } from "./output.ts";

/** The demos, as somebody chooses one of them. */
export function listLines(
  scenarios: readonly Scenario[],
  heading: (text: string) => string,
): string[] {
  const width = Math.max(...scenarios.map(({ name }) => name.length));
  return [
    heading("What becomes of an agent that goes wrong"),
    "",
    ...scenarios.map(({ name, summary }, index) =>
      `  ${index + 1}  ${name.padEnd(width)}  ${summary}`
    ),
    "",
  ];
}

/**
 * Asks for a line at the terminal. Resolves to `undefined` at the end of input, and when `signal`
 * says that nobody waits for it any more; unlike a read that blocks, it lets everything else go on.
 */
export async function nextLine(question: string, signal: AbortSignal): Promise<string | undefined> {
  print(question);
  const aborted = Promise.withResolvers<undefined>();
  const abort = () => aborted.resolve(undefined);
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await Promise.race([readLine(), aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

async function readLine(): Promise<string | undefined> {
  // A terminal gives out one line at a time.
  const buffer = new Uint8Array(1_024);
  const length = await Deno.stdin.read(buffer);
  return length === null ? undefined : new TextDecoder().decode(buffer.subarray(0, length)).trim();
}
