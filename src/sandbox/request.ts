import type { EarlyLayer } from "./early_layer.ts";
import type { ExecGateRequest, SecretStub } from "./handoff.ts";
import type { HostProgram } from "./host_programs.ts";
import type { LimitsConfig } from "../config/schema.ts";
import type { SandboxFinding } from "../core/event.ts";
import { dataDir, stateDir } from "../config/paths.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { FileRule, ShapedPath } from "./file_rule.ts";
import { aliasesOf, parseMountInfo } from "./mount_aliases.ts";
import { entryAt, exists, realPath } from "./paths.ts";
import { type Profile, profileById, PROFILES } from "./profiles.ts";
import type { Artifact } from "./seccomp/artifact.ts";
import type { EndOf } from "../secrets/sign_in_files.ts";
import { checkWorkspace } from "./workspace.ts";

/** Where bubblewrap is, and whether signals can be set back to what they do by default. */
export type SandboxTools = readonly [bwrap: Result<string>, shielded: boolean];

/** What the Sidecar has made for the command. */
export interface SandboxSession {
  readonly sessionId: string;
  /** The way out: a `proxy.sock`. */
  readonly proxySocket: string;
  readonly caCertificatePem: string;
  /** Variables that hold placeholders of credentials. @default {{}} */
  readonly placeholders?: Readonly<Record<string, string>>;
  /** By the id of a sign-in file: what stands there in place of its tokens. @default {{}} */
  readonly signIns?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** A command to be put under enforcement. */
export interface ConfineRequest {
  /** Program and arguments; the program is looked up on the host's PATH. */
  readonly command: readonly [string, ...string[]];
  /** The directory that is opened to the command: the workspace. */
  readonly cwd: string;
  /** Where in it the command starts. @default {cwd} */
  readonly startIn?: string;
  /** Id of a profile. */
  readonly profile: string;
  /** The profiles that there are. @default firma's own */
  readonly profiles?: readonly Profile[];
  readonly sandboxId: string;
  readonly hostEnv: Readonly<Record<string, string>>;
  /** Names of variables that reach the agent besides those of the profile. @default [] */
  readonly envPassthrough?: readonly string[];
  /**
   * Where the Sidecar's socket for this session will be, alone; the directory is there already. It
   * may become known while the sandbox is prepared, which is not built without. Must not reject.
   */
  readonly proxyDir: string | Promise<string | undefined>;
  /**
   * The sandbox is built while the Sidecar makes the session; the command waits for it, and does
   * not start without. Must not reject.
   */
  readonly session: Promise<SandboxSession | undefined>;
  /**
   * How programs are held until the Sidecar has decided them.
   * @default {undefined} none is held
   */
  readonly execGate?: ExecGateRequest | undefined;
  /** Programs of secret stores, which run outside. @default [] */
  readonly secretStubs?: readonly SecretStub[];
  /** What runs outside on the command's behalf, which it must not be able to write. @default [] */
  readonly hostPrograms?: readonly HostProgram[];
  /** System calls that the operator refuses beyond the usual ones. @default {undefined} none */
  readonly addedFilter?: Artifact | undefined;
  /** What policies say of files that would be shown. @default {undefined} nothing */
  readonly fileRule?: FileRule | undefined;
  /** Of this run, mode 0700; `public/` and `private/` are made in it. */
  readonly runDir: string;
  /** Directories that must read as empty: every `.firma`. */
  readonly sealedDirs: readonly string[];
  /** Files that must read as nothing, wherever they lie. @default [] */
  readonly hiddenFiles?: readonly string[];
  /** Hosts with a configured credential: sign-ins for these are shown without tokens. @default [] */
  readonly brokeredHosts?: readonly string[];
  /** When what programs renew by themselves ends. @default {it seems good for years} */
  readonly endOf?: EndOf;
  /** What of the sealed paths of the workspace is open after all. @default [] */
  readonly allowWrite?: readonly string[];
  /** What the agent may use of the machine. @default {as many processes as usual} */
  readonly limits?: LimitsConfig;
  /**
   * Found already.
   * @default {undefined} looked for now
   */
  readonly tools?: Promise<SandboxTools>;
  /**
   * The outer layer, where that was started for this run already. It is used only if it started as
   * it would be started now; whoever started it ends it.
   * @default {undefined} started when it is needed
   */
  readonly early?: EarlyLayer | undefined;
  /**
   * Who builds the file system of the sandbox: bwrap does on every kernel, for longer.
   * @default `__init`, where the kernel has the calls for it
   */
  readonly viewBuilder?: "bwrap";
  /** Hears what the sandbox refused or set right, for the record. @default nobody */
  readonly onFinding?: (finding: SandboxFinding) => void;
  /** Hears, as one line, what the operator should know. @default nobody */
  readonly onNotice?: (text: string) => void;
}

/** A request that may be carried out, with all paths real. */
export interface Place {
  readonly profile: Profile;
  readonly cwd: string;
  readonly startIn: string;
  readonly home: string;
  /** The home as named and as it really is. */
  readonly homes: readonly string[];
  readonly sealed: readonly string[];
  /** Files of what is sealed, where they are mounted at other places. */
  readonly sealedFiles: readonly string[];
}

/** Refuses a request that cannot be carried out safely. */
export function checkRequest(
  request: Omit<ConfineRequest, "proxyDir" | "session">,
): Result<Place> {
  const { command, hostEnv, sealedDirs } = request;
  if (hostEnv.FIRMA_RUN_SANDBOX_ID) {
    return err({
      code: "NESTED_SANDBOX",
      message: `Cannot run "${command[0]}": FIRMA_RUN_SANDBOX_ID is set, so this is a sandbox`,
      cure: "run the command directly: it is under enforcement already",
    });
  }
  const { profiles = PROFILES } = request;
  const profile = profileById(request.profile, profiles);
  if (!profile) {
    return err({
      code: "UNKNOWN_PROFILE",
      message: `Cannot run "${command[0]}": there is no profile "${request.profile}"`,
      cure: `choose one of: ${profiles.map(({ id }) => id).join(", ")}`,
    });
  }
  const link = sealedDirs.find((directory) => entryAt(directory)?.isSymlink);
  if (link !== undefined) {
    return err({
      code: "SEAL_IS_SYMLINK",
      message: `Cannot hide "${link}" from the command: it is a symbolic link`,
      cure: "put the directory itself there",
    });
  }
  const home = homeOf(hostEnv);
  const homes = [...new Set([home, realPath(home)])];
  const cwd = realPath(request.cwd);
  const startIn = realPath(request.startIn ?? cwd);
  const own = [stateDir(hostEnv), dataDir({ ...hostEnv, HOME: home }), request.runDir];
  const places = [...sealedDirs, ...own].filter(exists).map(realPath);
  const aliases = mountedElsewhere(places);
  const isDirectory = (path: string) => entryAt(path)?.isDirectory === true;
  const sealed = [...new Set([...places, ...aliases.filter(isDirectory)])];
  const sealedFiles = aliases.filter((path) => !isDirectory(path));
  const workspace = checkWorkspace({ cwd, homes, hidden: sealed });
  return workspace.ok ? ok({ profile, cwd, startIn, home, homes, sealed, sealedFiles }) : workspace;
}

/** Where what lies at these places can be had as well, by mounts of the host. */
function mountedElsewhere(places: readonly string[]): string[] {
  const mounts = parseMountInfo(Deno.readTextFileSync("/proc/self/mountinfo"));
  return places.flatMap((path) => aliasesOf(path, mounts)).filter(exists);
}

/** Containers often have no home, or the root directory as one. */
function homeOf(hostEnv: Readonly<Record<string, string>>): string {
  const home = (hostEnv.HOME ?? "").replace(/\/+$/, "");
  return home.startsWith("/") ? home : "/home/agent";
}

/** Fails where policies leave the command no directory to work in. */
export function checkShape(
  { cwdAccess, shaped }: { readonly cwdAccess: string; readonly shaped: readonly ShapedPath[] },
  cwd: string,
): Result<void> {
  if (cwdAccess !== "hidden") return ok(undefined);
  const why = shaped.find(({ path }) => path === cwd)?.why ?? "";
  return err({
    code: "WORKSPACE_FORBIDDEN",
    message: `Cannot run in "${cwd}": ${why}`,
    cure: "change the policy, or to another directory",
  });
}
