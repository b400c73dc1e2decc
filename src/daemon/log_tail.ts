/** The last `lines` lines of a log file, at most 8 KiB of it; empty when there is none. */
export function logTail(file: string, lines = 12): string[] {
  const limit = 8192;
  try {
    using log = Deno.openSync(file);
    const { size } = log.statSync();
    log.seekSync(Math.max(0, size - limit), Deno.SeekMode.Start);
    const buffer = new Uint8Array(limit);
    const length = log.readSync(buffer) ?? 0;
    const text = new TextDecoder().decode(buffer.subarray(0, length));
    return text.split("\n").filter((line) => line.trim() !== "").slice(-lines);
  } catch {
    return [];
  }
}
