/**
 * A cloned repository must not bring its own permission: a `firma.toml` is used
 * only when firma wrote it for this user or the user said `firma trust`. What
 * was trusted is the path and the SHA-256 of the file, kept in the data
 * directory, one record a file, where no project can write.
 */
import { dirname, join } from "../core/path.ts";
import { err, FirmaException, ok, type Result, unwrap } from "../core/result.ts";
import { shellWord } from "../core/shell.ts";
import type { ConfigFile } from "./load.ts";
import type { OperatorFile } from "./operator_files.ts";
import { userId } from "./user_id.ts";
import { dataDir, ensurePrivateDirectory, type Environment, fileKey } from "./paths.ts";

/** What is known of a trusted configuration. */
export interface TrustRecord {
  readonly path: string;
  readonly digest: string;
  readonly trusted_by: "scaffold" | "command" | "flag";
  /** RFC 3339. */
  readonly trusted_at: string;
  /** Inode of the directory that held the file at the last run. */
  readonly inode: number | null;
  /** Digests of policies and mappings at the last run, by name. */
  readonly files: Readonly<Record<string, string>>;
}

/** Whether a configuration may be used. */
export type TrustState =
  | { readonly state: "trusted"; readonly record: TrustRecord }
  | { readonly state: "changed"; readonly record: TrustRecord }
  | { readonly state: "unknown" };

function trustDir(env: Environment): string {
  return join(dataDir(env), "trust");
}

function recordFile(env: Environment, path: string): string {
  return join(trustDir(env), `${fileKey(path)}.json`);
}

function parseRecord(text: string): TrustRecord | undefined {
  try {
    const record: unknown = JSON.parse(text);
    if (typeof record !== "object" || record === null) return undefined;
    const { path, digest, files } = record as Partial<TrustRecord>;
    if (typeof path !== "string" || typeof digest !== "string") return undefined;
    if (typeof files !== "object" || files === null) return undefined;
    return record as TrustRecord;
  } catch {
    return undefined;
  }
}

function readRecord(file: string): TrustRecord | undefined {
  try {
    return parseRecord(Deno.readTextFileSync(file));
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw unreadable(dirname(file), cause);
  }
}

/** Most often, firma once ran by `sudo` with the home of this user. */
function unreadable(directory: string, cause: unknown): FirmaException {
  return new FirmaException({
    code: "TRUST_UNREADABLE",
    message: `Cannot read what you trust in "${directory}": ${
      cause instanceof Error ? cause.message : cause
    }`,
    cure: `sudo chown -R ${userId()} ${shellWord(dirname(directory))}, if it is yours`,
    cause,
  });
}

/**
 * Tells whether the file, exactly as it was read, is trusted. A damaged record trusts nothing.
 *
 * @throws {FirmaException} when this user may not read the record.
 */
export function trustState({ file, digest }: ConfigFile, env: Environment): TrustState {
  const record = readRecord(recordFile(env, file));
  if (!record || record.path !== file) return { state: "unknown" };
  return { state: record.digest === digest ? "trusted" : "changed", record };
}

/** Whether anything was trusted at this place before, whatever it holds now. Never throws. */
export function wasTrusted(path: string, env: Environment): boolean {
  try {
    return readRecord(recordFile(env, path))?.path === path;
  } catch {
    return false;
  }
}

function inodeOf(path: string): number | null {
  return Deno.statSync(dirname(path)).ino;
}

function fileDigests(files: readonly OperatorFile[]): Record<string, string> {
  return Object.fromEntries(files.map(({ name, digest }) => [name, digest]));
}

function write(record: TrustRecord, env: Environment): Result<void> {
  const directories = [dataDir(env), trustDir(env)].map(ensurePrivateDirectory);
  const refused = directories.find((made) => !made.ok);
  if (refused) return refused;
  const file = recordFile(env, record.path);
  const draft = `${file}.${crypto.randomUUID().slice(0, 8)}`;
  try {
    const text = `${JSON.stringify(record, null, 2)}\n`;
    Deno.writeTextFileSync(draft, text, { createNew: true, mode: 0o600 });
    Deno.renameSync(draft, file);
    return ok(undefined);
  } catch (cause) {
    return err({
      code: "TRUST_NOT_RECORDED",
      message: `Cannot record trust in "${file}": ${
        cause instanceof Error ? cause.message : cause
      }`,
      cause,
    });
  }
}

/** Trusts the file exactly as it was read. */
export function recordTrust(
  { file, digest }: ConfigFile,
  files: readonly OperatorFile[],
  trustedBy: TrustRecord["trusted_by"],
  env: Environment,
): Result<void> {
  return write({
    path: file,
    digest,
    trusted_by: trustedBy,
    trusted_at: new Date().toISOString(),
    inode: inodeOf(file),
    files: fileDigests(files),
  }, env);
}

/**
 * Goes on trusting a file that firma changed for its user, exactly as it was read
 * then. Of what it brings into force, only what was `written` counts as seen: the
 * next run still names what somebody else changed.
 */
export function recordChange(
  record: TrustRecord,
  { digest }: ConfigFile,
  written: ReadonlySet<string>,
  files: readonly OperatorFile[],
  env: Environment,
): Result<void> {
  const seen = files.filter(({ path }) => written.has(path));
  const gone = Object.keys(record.files).filter((name) =>
    written.has(join(dirname(record.path), name)) && !files.some((file) => file.name === name)
  );
  const known = Object.entries(record.files).filter(([name]) => !gone.includes(name));
  return write({
    ...record,
    digest,
    trusted_by: "scaffold",
    trusted_at: new Date().toISOString(),
    files: { ...Object.fromEntries(known), ...fileDigests(seen) },
  }, env);
}

/**
 * Waits until nobody else sets up or trusts the configuration at `path`, and
 * keeps others waiting until disposed of.
 *
 * @throws {FirmaException} when the data directory cannot be used.
 */
export function lockTrust(path: string, env: Environment): Disposable {
  for (const directory of [dataDir(env), trustDir(env)]) unwrap(ensurePrivateDirectory(directory));
  const lock = Deno.openSync(`${recordFile(env, path)}.lock`, {
    write: true,
    create: true,
    mode: 0o600,
  });
  lock.lockSync(true);
  return { [Symbol.dispose]: () => lock.close() };
}

/** Takes trust back; tells whether there was any. */
export function forgetTrust(path: string, env: Environment): boolean {
  try {
    Deno.removeSync(recordFile(env, path));
    return true;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return false;
    throw cause;
  }
}

/**
 * All records, sorted by path.
 *
 * @throws {FirmaException} when this user may not read them.
 */
export function trustRecords(env: Environment): TrustRecord[] {
  let entries: Deno.DirEntry[];
  try {
    entries = [...Deno.readDirSync(trustDir(env))];
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return [];
    throw unreadable(trustDir(env), cause);
  }
  return entries
    .filter((entry) => entry.name.endsWith(".json"))
    .map((entry) => readRecord(join(trustDir(env), entry.name)))
    .filter((record) => record !== undefined)
    .sort((a, b) => a.path < b.path ? -1 : 1);
}

/** Names what differs from the last run: `policies/dev.cedar changed`. */
export function changesSince(record: TrustRecord, files: readonly OperatorFile[]): string[] {
  const now = fileDigests(files);
  const names = new Set([...Object.keys(record.files), ...Object.keys(now)]);
  return [...names].sort().flatMap((name) => {
    if (!Object.hasOwn(now, name)) return [`${name} removed`];
    if (!Object.hasOwn(record.files, name)) return [`${name} added`];
    return now[name] === record.files[name] ? [] : [`${name} changed`];
  });
}

/**
 * Whether the directory of the configuration is another one than at the last
 * run. An agent cannot write a sealed directory, but it may be able to rename a
 * parent of it and to put up a double with the same `firma.toml`.
 */
export function directoryReplaced(record: TrustRecord): boolean {
  return record.inode !== inodeOf(record.path);
}

/** Remembers the policies and mappings of this run for the next one to compare with. */
export function rememberFiles(
  record: TrustRecord,
  files: readonly OperatorFile[],
  env: Environment,
): Result<void> {
  return write({ ...record, inode: inodeOf(record.path), files: fileDigests(files) }, env);
}
