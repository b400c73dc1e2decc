import { dataDir, isOwnDirectory, runsDir, stateDir } from "../../config/paths.ts";
import { isId } from "../../core/id.ts";
import { join } from "../../core/path.ts";
import { shellWord } from "../../core/shell.ts";
import { entryAt } from "../../sandbox/paths.ts";
import type { Check } from "../check.ts";
import { asRoot } from "../commands.ts";
import { type Finding, fine } from "../finding.ts";
import { type LoadedProject, trustedProject } from "../project.ts";
import type { World } from "../world.ts";

const OTHERS = 0o077;

/** The directory of running processes. */
export const stateDirCheck: Check = {
  category: "state dir",
  run: (world) => [privateDirectory(stateDir(world.env), world)],
};

/** The directory of keys, the audit log and records of trust. */
export const dataDirCheck: Check = {
  category: "data dir",
  run(world) {
    const { HOME, XDG_DATA_HOME } = world.env;
    if (!HOME?.startsWith("/") && !XDG_DATA_HOME?.startsWith("/")) {
      const reason = "neither XDG_DATA_HOME nor HOME is an absolute path";
      return [{
        status: "fail",
        reason,
        cure: 'export HOME="$(getent passwd "$(id -u)" | cut -d: -f6)"',
      }];
    }
    return [privateDirectory(dataDir(world.env), world)];
  },
};

/** What lies in those directories: nobody else may read keys or reach sockets. */
export const permissionsCheck: Check = {
  category: "permissions",
  run(world) {
    const findings: Finding[] = [];
    let seen = 0;
    const project = trustedProject(world.project());
    const entries = [...privateEntries(world), ...(project ? keysOf(project) : [])];
    for (const { path, kind } of new Map(entries.map((entry) => [entry.path, entry])).values()) {
      const entry = entryAt(path);
      if (entry === undefined) continue;
      seen++;
      const found = kind === "directory"
        ? privateDirectory(path, world)
        : privateFile(path, entry, world);
      if (found.status !== "ok") findings.push(found);
    }
    if (findings.length > 0) return findings;
    return [
      fine(
        seen === 0
          ? "nothing there yet"
          : `this user's alone: ${seen === 1 ? "the one thing" : `all ${seen} things`} looked at`,
      ),
    ];
  },
};

interface PrivateEntry {
  readonly path: string;
  readonly kind: "directory" | "file";
}

function* privateEntries({ env }: World): Generator<PrivateEntry> {
  const state = stateDir(env);
  // Below what is somebody else's, everything is theirs: that one finding says enough.
  if (isOwnDirectory(state)) {
    for (const path of [runsDir(env), join(state, "daemon")]) yield { path, kind: "directory" };
    for (const name of isOwnDirectory(runsDir(env)) ? names(runsDir(env)) : []) {
      if (isId("sbx", name)) yield { path: join(runsDir(env), name), kind: "directory" };
    }
  }
  let data: string;
  try {
    data = dataDir(env);
  } catch {
    return; // told by the check of that directory
  }
  if (!isOwnDirectory(data)) return;
  for (const name of ["keys", "trust", "audit", "known", "projects"]) {
    yield { path: join(data, name), kind: "directory" };
  }
  for (const name of isOwnDirectory(join(data, "keys")) ? names(join(data, "keys")) : []) {
    if (name.endsWith(".key")) yield { path: join(data, "keys", name), kind: "file" };
  }
}

/** Keys that the configuration names, which may lie anywhere. */
function* keysOf(project: LoadedProject): Generator<PrivateEntry> {
  const { authority, sidecar } = project.config;
  const { remote } = sidecar.authority;
  const { otlp } = sidecar.audit.shipping;
  const psk = remote?.credentials?.key;
  const paths = [
    authority.keyFile,
    ...authority.otherFiles.filter(({ key }) => key.endsWith("_key_path")).map(({ path }) => path),
    remote?.clientKeyPath,
    psk?.from === "file" ? psk.path : undefined,
    otlp?.headers?.from === "file" ? otlp.headers.path : undefined,
    otlp?.clientKeyPath,
  ];
  for (const path of new Set(paths)) if (path !== undefined) yield { path, kind: "file" };
}

function names(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
  } catch {
    return [];
  }
}

function privateDirectory(path: string, { uid }: World): Finding {
  const entry = entryAt(path);
  if (entry === undefined) return fine(`${path} is not there yet`);
  const word = shellWord(path);
  if (!entry.isDirectory) {
    const what = entry.isSymlink ? "a symbolic link" : "no directory";
    return { status: "fail", reason: `${path} is ${what}`, cure: `mv ${word} ${word}.old` };
  }
  if (entry.uid !== null && uid !== null && entry.uid !== uid) return foreign(path, entry.uid, uid);
  if (((entry.mode ?? 0) & OTHERS) === 0) return fine(`${path}, mode 0700`);
  return tooWide(path, entry.mode!, 0o700);
}

function privateFile(path: string, entry: Deno.FileInfo, { uid }: World): Finding {
  if (entry.uid !== null && uid !== null && entry.uid !== uid) return foreign(path, entry.uid, uid);
  if (((entry.mode ?? 0) & OTHERS) === 0) return fine(path);
  const detail = "if somebody could have read it, delete it instead, for a new key";
  return { ...tooWide(path, entry.mode!, 0o600), detail };
}

function foreign(path: string, owner: number, uid: number): Finding {
  return {
    status: "fail",
    reason: `${path} belongs to user ${owner}, not to you (user ${uid})`,
    cure: asRoot(`chown -R ${uid} ${shellWord(path)}`, uid),
  };
}

function tooWide(path: string, mode: number, wanted: number): Finding {
  const octal = (bits: number) => (bits & 0o777).toString(8).padStart(4, "0");
  const cure = `chmod ${wanted.toString(8)} ${shellWord(path)}`;
  return {
    status: "fail",
    reason: `${path} has mode ${octal(mode)}; others can get at it`,
    cure,
    repair: {
      done: `${path}: mode ${octal(wanted)} instead of ${octal(mode)}`,
      apply() {
        // Whatever was put in its place meanwhile is not what was looked at.
        const now = Deno.lstatSync(path);
        if (now.isSymlink) throw new Error(`"${path}" became a symbolic link`);
        Deno.chmodSync(path, wanted);
      },
    },
  };
}
