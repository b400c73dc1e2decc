import { hostname } from "node:os";
import { join } from "node:path";
import { dataDir, ensurePrivateDirectory, stateDir } from "../config/paths.ts";
import { err, ok, type Result } from "../core/result.ts";
import { findBwrap } from "./bwrap.ts";
import { agentEnvironment } from "./environment.ts";
import { findProgram } from "./find_program.ts";
import { hostSockets } from "./host_sockets.ts";
import { BWRAP, HANDOFF_SOCKET, PROXY_SOCKET } from "./handoff.ts";
import { type ConfinedProcess, launch } from "./launch.ts";
import { mountArguments } from "./mounts.ts";
import { mountPlan } from "./mount_plan.ts";
import { entryAt, exists, realPath } from "./paths.ts";
import { type Profile, profileById } from "./profiles.ts";
import { initProgram } from "./program.ts";
import { innerMounts, writePublicFiles } from "./run_files.ts";
import { canResetSignals, signalsToReset } from "./signal_reset.ts";
import { systemMounts } from "./system_mounts.ts";
import { findToolchains } from "./toolchains.ts";
import { checkWorkspace } from "./workspace.ts";

export type { ConfinedProcess };

/** A command to be put under enforcement. */
export interface ConfineRequest {
  /** Program and arguments; the program is looked up on the host's PATH. */
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  /** Id of a profile. */
  readonly profile: string;
  readonly sandboxId: string;
  readonly sessionId: string;
  readonly hostEnv: Readonly<Record<string, string>>;
  /** Names of variables that reach the agent besides those of the profile. @default [] */
  readonly envPassthrough?: readonly string[];
  /** The Sidecar's socket for this session. */
  readonly proxySocket: string;
  readonly caCertificatePem: string;
  /** Of this run, mode 0700; `public/` and `private/` are made in it. */
  readonly runDir: string;
  /** Directories that must read as empty: every `.firma`. */
  readonly sealedDirs: readonly string[];
  /** Hears, as one line, what the operator should know. @default nobody */
  readonly onNotice?: (text: string) => void;
}

/**
 * Starts a command in the sandbox, on this process's terminal. Resolves when the sandbox's
 * network is up and the command is being started; `exitCode` tells how it ended.
 */
export async function confine(request: ConfineRequest): Promise<Result<ConfinedProcess>> {
  const place = checkRequest(request);
  if (!place.ok) return place;
  const { profile, cwd, home, homes, sealed } = place.value;
  const { command, hostEnv, runDir } = request;
  const program = findProgram(command[0], hostEnv.PATH ?? "", cwd);
  if (!program.ok) return program;
  const [bwrap, shielded] = await Promise.all([findBwrap(), canResetSignals()]);
  if (!bwrap.ok) return bwrap;
  if (!shielded) {
    request.onNotice?.(
      "Ctrl-C ends the whole run here: /usr/bin/env is not that of GNU coreutils 8.31 or newer",
    );
  }
  const privateDir = join(runDir, "private");
  const prepared = ensurePrivateDirectory(privateDir);
  if (!prepared.ok) return prepared;

  // Null only on Windows.
  const uid = Deno.uid()!;
  const gid = Deno.gid()!;
  const publicDir = join(runDir, "public");
  const replaced = writePublicFiles({
    directory: publicDir,
    hostEnv,
    caCertificatePem: request.caCertificatePem,
    identity: { uid, gid, home, user: userName(hostEnv), shell: hostEnv.SHELL || "/bin/sh" },
    hostname: hostname(),
  });
  const system = systemMounts(uid);
  const settings = settingsOf(profile, home, hostEnv);
  const toolchains = findToolchains({
    env: hostEnv,
    homes,
    shown: [...system.map((mount) => mount.target), cwd, ...settings],
    program: program.value,
  });
  const shown = [...system, ...toolchains.mounts].map((mount) => mount.target);
  shown.push(cwd, ...settings);
  const init = initProgram();
  const handoffSocket = join(privateDir, "handoff.sock");
  const mounts = mountPlan({
    system,
    home,
    toolchains: toolchains.mounts,
    settings,
    cwd,
    programs: init.sources.filter(exists),
    sealed,
    sockets: hostSockets(shown),
    replaced,
    publicDir,
    privateMounts: [
      ...init.mounts,
      { kind: "bind", source: realPath(bwrap.value), target: BWRAP },
      { kind: "bind", source: request.proxySocket, target: PROXY_SOCKET },
      { kind: "bind", source: handoffSocket, target: HANDOFF_SOCKET },
    ],
  });
  return await launch({
    bwrap: bwrap.value,
    mounts: mountArguments(mounts),
    init,
    handoffSocket,
    plan: {
      command,
      cwd,
      uid,
      gid,
      environment: agentEnvironment({
        hostEnv,
        profile,
        passthrough: request.envPassthrough ?? [],
        home,
        path: toolchains.path,
        sandboxId: request.sandboxId,
        sessionId: request.sessionId,
      }),
      innerMounts: innerMounts(publicDir, replaced),
      ...openFilesOf(Deno.ppid),
      shielded,
      defaultSignals: shielded ? signalsToReset(Deno.readTextFileSync("/proc/self/status")) : [],
    },
  });
}

/** A request that may be carried out, with all paths real. */
interface Place {
  readonly profile: Profile;
  readonly cwd: string;
  readonly home: string;
  /** The home as named and as it really is. */
  readonly homes: readonly string[];
  readonly sealed: readonly string[];
}

function checkRequest(request: ConfineRequest): Result<Place> {
  const { command, hostEnv, sealedDirs } = request;
  if (hostEnv.FIRMA_RUN_SANDBOX_ID) {
    return err({
      code: "NESTED_SANDBOX",
      message: `Cannot run "${command[0]}": FIRMA_RUN_SANDBOX_ID is set, so this is a sandbox`,
      cure: "run the command directly: it is under enforcement already",
    });
  }
  const profile = profileById(request.profile);
  if (!profile) {
    return err({
      code: "UNKNOWN_PROFILE",
      message: `Cannot run "${command[0]}": there is no profile "${request.profile}"`,
      cure: "choose generic, claude-code, codex or copilot",
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
  const own = [stateDir(hostEnv), dataDir({ ...hostEnv, HOME: home }), request.runDir];
  const sealed = [...new Set([...sealedDirs, ...own].filter(exists).map(realPath))];
  const workspace = checkWorkspace({ cwd, homes, hidden: sealed });
  return workspace.ok ? ok({ profile, cwd, home, homes, sealed }) : workspace;
}

/** The limit that this process was started with; Deno has raised its own. */
function openFilesOf(pid: number): { readonly openFiles?: number } {
  try {
    const limits = Deno.readTextFileSync(`/proc/${pid}/limits`);
    const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    return soft ? { openFiles: Number(soft) } : {};
  } catch {
    return {}; // a parent of another user, as under sudo
  }
}

/** Containers often have no home, or the root directory as one. */
function homeOf(hostEnv: Readonly<Record<string, string>>): string {
  const home = (hostEnv.HOME ?? "").replace(/\/+$/, "");
  return home.startsWith("/") ? home : "/home/agent";
}

function userName(hostEnv: Readonly<Record<string, string>>): string {
  const name = hostEnv.USER || hostEnv.LOGNAME || "";
  return /^[\w.-]+$/.test(name) ? name : "agent";
}

function settingsOf(
  { settings }: Profile,
  home: string,
  hostEnv: Readonly<Record<string, string>>,
): string[] {
  return settings
    .map(({ path, variable }) => (variable && hostEnv[variable]) || join(home, path))
    .filter(exists);
}
