/** Writes a file so that nobody ever sees half of it. */
export function writeWhole(path: string, text: string, mode: number): void {
  const draft = `${path}.${crypto.randomUUID()}`;
  try {
    using file = Deno.openSync(draft, { write: true, createNew: true, mode });
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
    file.syncSync();
    Deno.renameSync(draft, path);
  } catch (cause) {
    try {
      Deno.removeSync(draft);
    } catch { /* it was never made */ }
    throw cause;
  }
}
