import { dirname } from "../core/path.ts";
import { err, ok, type Result } from "../core/result.ts";

/** A file to write. */
export interface NewFile {
  readonly path: string;
  readonly text: string;
  /** Whether it is only for its owner (mode 0600). */
  readonly secret: boolean;
}

/**
 * Writes files, all of them or, where one is there already, none; with `force`
 * they are replaced. None is ever there with a part of its text, or with more
 * permissions than it is to have.
 */
export async function writeNewFiles(
  files: readonly NewFile[],
  force: boolean,
): Promise<Result<void>> {
  const drafts: string[] = [];
  try {
    for (const { path } of files) {
      if (!force && await isThere(path)) {
        return err({
          code: "FILE_EXISTS",
          message: `Cannot write "${path}": it is there already`,
          cure: "move it away, choose another name, or --force to replace it",
        });
      }
    }
    for (const { path, text, secret } of files) {
      await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
      const draft = `${path}.${crypto.randomUUID()}`;
      drafts.push(draft);
      const mode = secret ? 0o600 : 0o644;
      using file = await Deno.open(draft, { write: true, createNew: true, mode });
      const bytes = new TextEncoder().encode(text);
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      await file.sync();
    }
    for (const [i, { path }] of files.entries()) {
      if (force) {
        await Deno.rename(drafts[i]!, path);
        continue;
      }
      // Unlike a rename, a link never replaces what somebody else has put there meanwhile.
      await Deno.link(drafts[i]!, path);
      await Deno.remove(drafts[i]!);
    }
    return ok(undefined);
  } catch (cause) {
    return err({
      code: "FILE_NOT_WRITTEN",
      message: `Cannot write the files: ${cause instanceof Error ? cause.message : cause}`,
      cause,
    });
  } finally {
    for (const draft of drafts) await Deno.remove(draft).catch(() => {});
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return false;
    throw cause;
  }
}
