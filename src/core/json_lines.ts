/** More than any message between processes of firma. */
const MAX_LINE = 256 * 1024;

/**
 * Reads one JSON object a line. Lines that are none, or that are endless, are
 * left out: a broken helper must not break whoever reads it.
 */
export async function* jsonLines(
  pieces: AsyncIterable<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<Readonly<Record<string, unknown>>> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const piece of pieces) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = lines.pop()!;
    if (rest.length > MAX_LINE) rest = "";
    for (const line of lines) {
      const value = parse(line);
      if (value) yield value;
    }
  }
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? value as Record<string, unknown>
      : undefined;
  } catch {
    return undefined;
  }
}
