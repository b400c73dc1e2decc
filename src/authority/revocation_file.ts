import { dirname } from "../core/path.ts";
import type { Revocation } from "../core/authority.ts";
import { isId } from "../core/id.ts";
import { parseTimestamp } from "../core/timestamp.ts";
import { readFileIfThere, replaceFile, withFileLock } from "./store/files.ts";

const NOTHING = "# No token is revoked.\n";

/** Appends a revocation to a file, unless the token is in it already; makes the file where there is none. */
export function revokeInFile(file: string, revocation: Revocation): Promise<void> {
  return locked(file, async () => {
    const text = await readFileIfThere(file) ?? "";
    const lines = text.split(/\r\n|\r|\n/);
    if (lines.some((line) => tokenOf(line) === revocation.tokenId)) return;
    const { tokenId, timestamp, reason } = revocation;
    const line = `${tokenId}\t${timestamp}\t${reason.replaceAll(/\p{Cc}+/gu, " ").trim()}\n`;
    const gap = text === "" || text.endsWith("\n") ? "" : "\n";
    using handle = await Deno.open(file, { append: true, create: true, mode: 0o600 });
    const bytes = new TextEncoder().encode(gap + line);
    for (let at = 0; at < bytes.length;) at += await handle.write(bytes.subarray(at));
    await handle.sync();
  });
}

/** Takes the lines of a token out of a file; says `false` when it has none. */
export function withdrawFromFile(file: string, tokenId: string): Promise<boolean> {
  return locked(file, async () => await drop(file, (line) => tokenOf(line) === tokenId) > 0);
}

/** Takes out the revocations older than `olderThanMs`; returns how many these were. */
export function compactFile(file: string, olderThanMs: number): Promise<number> {
  return locked(file, () =>
    drop(file, (line) => {
      const [, timestamp] = line.split("\t");
      const atMs = timestamp === undefined ? undefined : parseTimestamp(timestamp);
      return tokenOf(line) !== undefined && atMs !== undefined && atMs < olderThanMs;
    }));
}

async function drop(file: string, isToGo: (line: string) => boolean): Promise<number> {
  const lines = (await readFileIfThere(file) ?? "").split(/\r\n|\r|\n/);
  const kept = lines.filter((line) => !isToGo(line));
  const dropped = lines.length - kept.length;
  if (dropped === 0) return 0;
  const text = kept.join("\n").trimEnd();
  // An empty file could be one that is being written: whoever reads it would not believe it.
  await replaceFile(file, text === "" ? NOTHING : `${text}\n`);
  return dropped;
}

/** The token that a line revokes, where it is as it should be. */
function tokenOf(line: string): string | undefined {
  const [tokenId = ""] = line.split("\t");
  return isId("ctok", tokenId) ? tokenId : undefined;
}

async function locked<T>(file: string, work: () => Promise<T>): Promise<T> {
  await Deno.mkdir(dirname(file), { recursive: true, mode: 0o700 });
  return await withFileLock(file, work);
}
