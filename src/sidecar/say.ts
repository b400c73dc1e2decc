import type { FirmaError } from "../core/result.ts";

/**
 * Writes one JSON object as a line to standard output, where whoever started this process listens.
 * When nobody does any more, nothing happens: the end of standard input says so too.
 */
export function say(line: unknown): void {
  try {
    const bytes = new TextEncoder().encode(`${JSON.stringify(line)}\n`);
    for (let sent = 0; sent < bytes.length;) sent += Deno.stdout.writeSync(bytes.subarray(sent));
  } catch {
    // As above.
  }
}

/** An error as it can be said: without its cause, which may hold anything. */
export function sayable({ code, message, cure, at }: FirmaError): Omit<FirmaError, "cause"> {
  return { code, message, ...(cure && { cure }), ...(at && { at }) };
}
