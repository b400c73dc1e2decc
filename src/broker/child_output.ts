/** All that a program prints to the end; `undefined` where that is more than so many bytes. */
export async function readUpTo(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  most: number,
): Promise<Uint8Array | undefined> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    length += part.value.length;
    if (length > most) return undefined;
    pieces.push(part.value);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/**
 * Ends a program at once, and the reading of what it prints: that is not left to it, for what it
 * started may keep its ends of the pipes open.
 */
export function stopChild(
  child: Deno.ChildProcess,
  readers: readonly ReadableStreamDefaultReader<Uint8Array>[],
): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It is gone already.
  }
  for (const reader of readers) reader.cancel().catch(() => {});
}
