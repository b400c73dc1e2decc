import { dirname, join, resolve } from "../core/path.ts";
import { agentRoots, type HostRoots, SYSTEM_BUNDLES } from "./ca_bundle.ts";
import { gitSystemConfig, ignoreLines } from "./git_config.ts";
import { PUBLIC_DIR } from "./handoff.ts";
import {
  groupFile,
  hostsFile,
  type Identity,
  nsswitchConf,
  passwdFile,
  RESOLV_CONF,
} from "./identity_files.ts";
import { javaStore, javaStores } from "./java_roots.ts";
import { entryAt, exists, isWithin, realPath } from "./paths.ts";
import type { SealedPath } from "./seals/seal.ts";

const CERTIFICATES = {
  session: "ca.pem",
  extra: "ca-extra.pem",
  bundle: "ca-bundle.pem",
} as const;
const JAVA_STORE = "ca-bundle.p12";

/** What the files are made from. */
export interface PublicFilesOptions {
  /** Where they are written; the agent sees the directory at {@linkcode PUBLIC_DIR}. */
  readonly directory: string;
  readonly identity: Identity;
  /** Files of `/etc` that read otherwise than the host's and are mounted one by one, by name. */
  readonly etc: Readonly<Record<string, string>>;
  readonly hostEnv: Readonly<Record<string, string>>;
  readonly locked: readonly SealedPath[];
  /** Files of the workspace that git is not to take for new ones. */
  readonly unversioned: readonly string[];
}

/** A file of the sandbox that says something else than the host's. */
export interface ReplacedFile {
  readonly source: string;
  readonly target: string;
}

/** The files of `/etc` that read otherwise than on the host, by name. */
export function etcTexts(identity: Identity, hostname: string): Readonly<Record<string, string>> {
  return {
    "group": groupFile(readHost("/etc/group"), identity),
    "hosts": hostsFile(hostname),
    "nsswitch.conf": nsswitchConf(readHost("/etc/nsswitch.conf")),
    "passwd": passwdFile(readHost("/etc/passwd"), identity),
    "resolv.conf": RESOLV_CONF,
  };
}

/**
 * Writes what the agent may read of this run: files for certificates, still empty, and files of
 * `/etc` that differ from the host's. Returns which of them replace which file.
 */
export function writePublicFiles(options: PublicFilesOptions): ReplacedFile[] {
  const { directory, identity, etc, hostEnv, locked, unversioned } = options;
  Deno.mkdirSync(join(directory, "etc"), { recursive: true });
  const write = (name: string, text: string) =>
    Deno.writeTextFileSync(join(directory, name), text, { mode: 0o644 });

  for (const name of Object.values(CERTIFICATES)) write(name, ""); // filled in later, in place
  const ignored = unversioned.length > 0 ? `${PUBLIC_DIR}/gitignore` : undefined;
  for (const { reads } of locked) if (reads !== undefined) write(standIn(reads), reads);
  write("gitignore", ignoreLines(unversioned));
  write("gitconfig", gitSystemConfig(readHost(join(identity.home, ".gitconfig")), ignored));
  for (const [name, text] of Object.entries(etc)) write(join("etc", name), text);

  const bundles = new Set(SYSTEM_BUNDLES.filter(exists).map(realPath));
  const javas = javaStores(hostEnv);
  if (javas.length > 0) write(JAVA_STORE, "");
  return [
    ...Object.keys(etc).map((name) => ({
      source: join(directory, "etc", name),
      target: shownAs(join("/etc", name), identity.uid),
    })),
    // For clients that know no variable, such as wget.
    ...[...bundles].map((target) => ({ source: join(directory, CERTIFICATES.bundle), target })),
    ...javas.map((target) => ({ source: join(directory, JAVA_STORE), target })),
  ];
}

/**
 * Writes the certificates that the agent trusts into the files that {@linkcode writePublicFiles}
 * made: these very files are mounted already.
 */
export function writeCertificates(
  directory: string,
  host: HostRoots,
  caCertificatePem: string,
): void {
  const roots = agentRoots(host, caCertificatePem);
  const contents = { session: caCertificatePem, ...roots };
  for (const [content, name] of Object.entries(CERTIFICATES)) {
    Deno.writeTextFileSync(join(directory, name), contents[content as keyof typeof CERTIFICATES], {
      create: false,
    });
  }
  const java = join(directory, JAVA_STORE);
  if (exists(java)) Deno.writeFileSync(java, javaStore(roots.bundle), { create: false });
}

/** The replaced files that the inner layer must mount again, because it empties `/run`. */
export function innerMounts(directory: string, replaced: readonly ReplacedFile[]): string[] {
  return replaced.filter(({ target }) => isWithin(target, "/run")).flatMap((
    { source, target },
  ) => ["--ro-bind", source.replace(directory, PUBLIC_DIR), target]);
}

/**
 * Where to mount what shall appear at `path`: an ordinary user sees the host's `/etc` with its
 * symbolic links (`resolv.conf` often leads to `/run`), root only what is mounted there.
 */
function shownAs(path: string, uid: number): string {
  if (uid === 0 || !entryAt(path)?.isSymlink) return path;
  const end = exists(path) ? realPath(path) : resolve(dirname(path), Deno.readLinkSync(path));
  return end.replace(/^\/var\/run\//, "/run/");
}

function readHost(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

/** Where the text is kept that a sealed file reads as while there is none. */
function standIn(reads: string): string {
  return reads === "" ? "empty" : "empty.json";
}

/** What each sealed path is in the sandbox: itself, or a text in its place. */
export function lockedFiles(directory: string, locked: readonly SealedPath[]): ReplacedFile[] {
  return locked.map(({ path, reads }) => ({
    source: reads === undefined ? path : join(directory, standIn(reads)),
    target: path,
  }));
}
