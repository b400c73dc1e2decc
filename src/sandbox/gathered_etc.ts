import { dirname, join } from "../core/path.ts";
import { sha256 } from "../core/sha256.ts";
import type { Mount } from "./mounts.ts";
import { entryAt, exists, isWithin } from "./paths.ts";

const ETC = "/etc";

/** Larger files are mounted rather than copied, in bytes. */
const MOST_COPIED = 512 * 1024;

/** What to gather from. */
export interface EtcOptions {
  /** Where gathered files are kept from run to run; of this user alone. */
  readonly directory: string;
  /** What is shown of the system; what is not of `/etc` is left as it is. */
  readonly system: readonly Mount[];
  /** Files of `/etc` that read otherwise than on the host, by name. */
  readonly texts: Readonly<Record<string, string>>;
  /** Must read as nothing. */
  readonly covered: readonly string[];
}

/** An `/etc` that can be mounted in one. */
export interface GatheredEtc extends Disposable {
  /** The system, with it. */
  readonly system: readonly Mount[];
  /** From now on it may be removed. */
  [Symbol.dispose](): void;
}

/**
 * Puts the files and links of `/etc` that root's sandbox shows one by one into one directory, with
 * those that read otherwise than on the host, so that they are one mount instead of 40: bwrap reads
 * the list of all mounts again for each, which took 20 ms of a start. The directory is made once and
 * serves every run until something of it changes on the host. Directories are still mounted.
 *
 * @throws {Error} When it cannot be written
 */
export function gatherEtc({ directory, system, texts, covered }: EtcOptions): GatheredEtc {
  const single = system.filter(({ target }) => isWithin(target, ETC) && target !== ETC);
  const pieces = single.map((mount) => pieceOf(mount, covered.includes(mount.target)));
  Deno.mkdirSync(directory, { recursive: true, mode: 0o700 });
  const key = sha256(JSON.stringify([pieces.map(({ state }) => state), texts]));
  const gathered = join(directory, key);
  const lock = lockOf(gathered);
  try {
    lock.lockSync(false); // whoever holds it keeps the directory from being removed
    if (!exists(gathered)) {
      make(gathered, pieces, texts);
      removeOthers(directory, key);
    }
  } catch (cause) {
    lock.close();
    throw cause;
  }
  return {
    system: [
      ...system.filter((mount) => !single.includes(mount)),
      { kind: "bind", source: gathered, target: ETC },
      ...pieces.filter(({ how }) => how === "mount").map(({ mount }) => mount),
    ],
    [Symbol.dispose]: () => lock.close(),
  };
}

interface Piece {
  readonly mount: Mount;
  readonly how: "copy" | "link" | "mount" | "nothing";
  readonly isDirectory: boolean;
  /** Another one when it changes, with everything that it is made by. */
  readonly state: unknown;
}

function pieceOf(mount: Mount, isCovered: boolean): Piece {
  const { target } = mount;
  if (mount.kind === "symlink") {
    return { mount, how: "link", isDirectory: false, state: [target, mount.pointsTo] };
  }
  const entry = mount.kind === "bind" ? entryAt(mount.source) : undefined;
  const isDirectory = entry?.isDirectory ?? false;
  const isSmall = entry?.isFile && entry.size <= MOST_COPIED;
  const how = isCovered ? "nothing" : isSmall ? "copy" : "mount";
  const { dev, ino, size, mode, mtime, ctime } = entry ?? {};
  const version = how === "copy" ? [dev, ino, size, mode, mtime?.getTime(), ctime?.getTime()] : [];
  return { mount, how, isDirectory, state: [target, how, isDirectory, ...version] };
}

/** Makes the directory at once: others look for it meanwhile, or make it too. */
function make(
  gathered: string,
  pieces: readonly Piece[],
  texts: Readonly<Record<string, string>>,
): void {
  const draft = Deno.makeTempDirSync({
    dir: dirname(gathered),
    prefix: `${draftPrefix(gathered)}`,
  });
  try {
    Deno.chmodSync(draft, 0o755);
    const pathOf = ({ mount }: Piece) => draft + mount.target.slice(ETC.length);
    for (const piece of pieces) {
      const path = pathOf(piece);
      Deno.mkdirSync(dirname(path), { recursive: true });
      place(path, piece);
    }
    for (const [name, text] of Object.entries(texts)) {
      Deno.writeTextFileSync(join(draft, name), text, { mode: 0o644 });
    }
    Deno.renameSync(draft, gathered);
  } catch (cause) {
    Deno.removeSync(draft, { recursive: true });
    if (!exists(gathered)) throw cause;
  }
}

/** Puts a piece at `path`, or what it can be mounted on. */
function place(path: string, { mount, how, isDirectory }: Piece): void {
  if (mount.kind === "symlink") Deno.symlinkSync(mount.pointsTo, path);
  else if (how === "copy" && mount.kind === "bind") Deno.copyFileSync(mount.source, path);
  else if (isDirectory) Deno.mkdirSync(path);
  else Deno.writeFileSync(path, new Uint8Array());
}

/** Removes what no run uses any more. Locks stay: one that is removed while somebody waits for it locks nothing. */
function removeOthers(directory: string, key: string): void {
  const names = [...Deno.readDirSync(directory)].map(({ name }) => name);
  const others = names.filter((name) => name.endsWith(LOCK) && name !== key + LOCK);
  for (const other of others.map((name) => name.slice(0, -LOCK.length))) {
    using lock = lockOf(join(directory, other));
    if (!lock.tryLockSync(true)) continue;
    const isOf = (name: string) => name === other || name.startsWith(draftPrefix(other));
    for (const name of names.filter(isOf)) {
      Deno.removeSync(join(directory, name), { recursive: true });
    }
  }
}

const LOCK = ".lock";

function lockOf(gathered: string): Deno.FsFile {
  return Deno.openSync(gathered + LOCK, { write: true, create: true, mode: 0o600 });
}

function draftPrefix(gathered: string): string {
  return `${gathered.slice(gathered.lastIndexOf("/") + 1)}-`;
}
