/**
 * Runs `work` while no other process runs anything under a lock of the same
 * file. The lock is on `<file>.lock`, because `file` itself gets replaced.
 */
export async function withFileLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  using lock = await Deno.open(`${file}.lock`, { write: true, create: true, mode: 0o600 });
  await lock.lock(true);
  try {
    return await work();
  } finally {
    await lock.unlock();
  }
}

/** Replaces a file (mode 0600) whole: whoever reads it finds the old or the new text, never a part. */
export async function replaceFile(file: string, text: string): Promise<void> {
  const draft = `${file}.${crypto.randomUUID()}`;
  try {
    using handle = await Deno.open(draft, { write: true, createNew: true, mode: 0o600 });
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += await handle.write(bytes.subarray(at));
    await handle.sync();
    await Deno.rename(draft, file);
  } catch (cause) {
    await Deno.remove(draft).catch(() => {});
    throw cause;
  }
}

/** The text of a file, or `undefined` where there is none. */
export async function readFileIfThere(file: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(file);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw cause;
  }
}
