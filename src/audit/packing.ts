import { basename, dirname, join } from "../core/path.ts";
import { type ClosedFile, closedPath, type Packing } from "./closed_file.ts";

/** Read and handed on at once, so that whoever compresses beside other work holds it up little. */
const CHUNK = 65_536;
/** What nobody has written to for so long is nobody's any more, in milliseconds. */
const LEFT_BEHIND_MS = 3_600_000;

/** The bytes of a closed file as they were written, whatever it is packed in. */
export async function* unpackedBytes(path: string, packing: Packing): AsyncGenerator<Uint8Array> {
  using file = await Deno.open(path, { read: true });
  if (packing === "plain") yield* chunksOf(file);
  else yield* transformed(chunksOf(file), packing, "unpack");
}

/**
 * Compresses a closed file, and removes it once what was made of it is on the disk. Returns where
 * that is; `undefined` when the file is gone meanwhile, or `signal` aborted.
 */
export async function packClosed(
  closed: ClosedFile,
  packing: Exclude<Packing, "plain">,
  signal: AbortSignal,
): Promise<string | undefined> {
  const target = closedPath(closed.log, closed.first, closed.last, packing);
  const draft = `${closed.log}.packing-${crypto.randomUUID()}`;
  try {
    using source = await Deno.open(closed.path, { read: true });
    const { atime, mtime } = await source.stat();
    {
      using file = await Deno.open(draft, { write: true, createNew: true, mode: 0o600 });
      for await (const bytes of transformed(chunksOf(source), packing, "pack")) {
        if (signal.aborted) break;
        for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      }
      await file.sync();
      // Its age is that of its last line.
      if (mtime) await file.utime(atime ?? mtime, mtime);
    }
    if (!signal.aborted) {
      await Deno.rename(draft, target);
      await Deno.remove(closed.path);
      return target;
    }
  } catch (cause) {
    await removeIfThere(draft);
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw cause;
  }
  await removeIfThere(draft);
  return undefined;
}

/** Removes what processes left behind that died while they compressed files of `log`. */
export async function removeLeftovers(log: string, nowMs = Date.now()): Promise<void> {
  const prefix = `${basename(log)}.packing-`;
  for await (const { name } of Deno.readDir(dirname(log))) {
    if (!name.startsWith(prefix)) continue;
    const path = join(dirname(log), name);
    // A younger one may be another process's, which is at it.
    const { mtime } = await Deno.stat(path);
    if (nowMs - (mtime?.getTime() ?? nowMs) > LEFT_BEHIND_MS) await removeIfThere(path);
  }
}

async function* chunksOf(file: Deno.FsFile): AsyncGenerator<Uint8Array> {
  for (;;) {
    const chunk = new Uint8Array(CHUNK);
    const read = await file.read(chunk);
    if (read === null) return;
    yield chunk.subarray(0, read);
  }
}

/** Loaded only where there is something to pack: most of what handles logs does without. */
async function* transformed(
  chunks: AsyncIterable<Uint8Array>,
  packing: Exclude<Packing, "plain">,
  direction: "pack" | "unpack",
): AsyncGenerator<Uint8Array> {
  const { Readable } = await import("node:stream");
  const zlib = await import("node:zlib");
  const transform = packing === "gzip"
    ? direction === "pack" ? zlib.createGzip() : zlib.createGunzip()
    : direction === "pack"
    ? zlib.createZstdCompress()
    : zlib.createZstdDecompress();
  const source = Readable.from(chunks, { objectMode: false });
  source.on("error", (cause) => transform.destroy(cause));
  source.pipe(transform);
  try {
    for await (const bytes of transform) yield bytes as Uint8Array;
  } finally {
    source.destroy();
    transform.destroy();
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
  }
}
