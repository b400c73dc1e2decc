import { writeAll } from "./write_all.ts";

/** Writes a file so that nobody ever sees half of it, however many write it at once. */
export function writeWhole(path: string, text: string, mode: number): void {
  const draft = `${path}.${crypto.randomUUID()}`;
  try {
    using file = Deno.openSync(draft, { write: true, createNew: true, mode });
    writeAll(file, new TextEncoder().encode(text));
    file.syncSync();
    Deno.renameSync(draft, path);
  } catch (cause) {
    try {
      Deno.removeSync(draft);
    } catch { /* it was never made */ }
    throw cause;
  }
}
