import {
  BWRAP,
  type LaunchPlan,
  PRIVATE_DIR,
  PROXY_SOCKET,
  PUBLIC_DIR,
  SHIELDED_SIGNALS,
} from "../handoff.ts";
import type { GateThread } from "./gate/start.ts";
import { spawn, type Spawned } from "../posix_spawn.ts";
import { openGate } from "../shims/open_gate.ts";
import { loadFilter } from "../seccomp/artifact.ts";
import { STUBS_DIR } from "../stores/protocol.ts";
import { checked, cString, libc } from "./libc.ts";
import { rlimitScript } from "./rlimits.ts";

/** An uncovered procfs, which the kernel wants to see before it lets the inner layer mount one. */
const SPARE_PROC = `${PRIVATE_DIR}/proc`;

const SHELL = "/bin/sh";
const ENV = "/usr/bin/env";
const FILTER_FILE = `${PRIVATE_DIR}/agent.bpf`;
const ADDED_FILTER_FILE = `${PRIVATE_DIR}/added.bpf`;
const ARGUMENTS_FILE = `${PRIVATE_DIR}/inner.args`;

// Deno raises the limit of open files for itself, and a child would keep that.
const limitFiles = (count: number | undefined) =>
  count === undefined ? "" : `ulimit -S -n ${count} 2>/dev/null; `;

// The kernel would end __init first where the agent has many small processes.
const AGENT_FIRST = "echo 500 2>/dev/null >/proc/self/oom_score_adj; ";

// A monitor that a Ctrl-C ended would take the agent with it.
const SHIELD = `trap "" ${Object.keys(SHIELDED_SIGNALS).join(" ")}; `;

// Descriptors 7 to 9 because a shell may know only one digit.
const SCRIPT = `exec "$@" 8<${ARGUMENTS_FILE} 9<${FILTER_FILE}`;
const ADDED = ` 7<${ADDED_FILTER_FILE}`;

/**
 * Starts the agent in the inner layer: own user and process namespaces, own `/proc`, no
 * capabilities, nothing of `/run` but firma's public files, and the built-in `filter`. `onShims` hears why the execution gate
 * has to do without the kernel's questions, before the agent starts.
 *
 * @throws {SystemCallError} when the spare procfs cannot be mounted.
 * @throws {Error} when the filter is damaged.
 */
export async function startAgent(
  plan: LaunchPlan,
  filter: Promise<Uint8Array>,
  gate: GateThread | undefined,
  onShims: (reason: string) => Promise<unknown>,
): Promise<Spawned> {
  Deno.mkdirSync(SPARE_PROC);
  checked(
    "mount a procfs",
    libc.mount(cString("proc"), cString(SPARE_PROC), cString("proc"), 0n, null),
  );
  const { limits } = plan;
  if (limits.numbers !== undefined) {
    Deno.writeTextFileSync(`${SPARE_PROC}/sys/kernel/pid_max`, String(limits.numbers));
  }
  writeFilter(FILTER_FILE, await filter);
  if (plan.addedFilter) writeFilter(ADDED_FILTER_FILE, await loadFilter(plan.addedFilter));
  const command = agentCommand(plan);
  let shims: readonly string[] = [];
  if (plan.execGate !== undefined) {
    if (gate === undefined) throw new Error("the execution gate was not prepared");
    shims = await openGate(gate, {
      own: { outer: [SHELL, BWRAP], inner: ownPrograms(plan, command) },
      path: plan.environment.PATH ?? "",
      timeoutMs: plan.execGate.timeoutMs,
      only: plan.execGate.governed,
      mayUseShims: plan.execGate.mayUseShims,
      onShims,
    });
  }
  const { secretStubs = [] } = plan;
  if (secretStubs.length > 0) {
    // Loaded where it is needed, which is in few projects.
    const { openStores } = await import("../stores/open_stores.ts");
    shims = [...shims, ...openStores(secretStubs, PROXY_SOCKET)];
  }
  // Options from a file, not the command line: the agent's environment holds its keys.
  const options = innerArguments(plan, shims).join("\0") + "\0";
  Deno.writeTextFileSync(ARGUMENTS_FILE, options, { mode: 0o600 });
  try {
    return spawn({
      program: SHELL,
      args: [
        ...["-c", innerScript(plan), "sh"],
        ...[BWRAP, "--args", "8", ...filterOptions(plan), "--", ...command],
      ],
      env: {},
    });
  } catch (cause) {
    throw await gate?.explain(cause) ?? cause;
  }
}

function writeFilter(file: string, filter: Uint8Array): void {
  Deno.writeFileSync(file, filter, { mode: 0o600 });
}

/**
 * The built-in filter is loaded last: of two refusals the kernel tells that of the filter which
 * was, and programs know what to do about `ENOSYS`.
 */
function filterOptions({ addedFilter }: LaunchPlan): string[] {
  const added = addedFilter ? ["--add-seccomp-fd", "7"] : [];
  return [...added, "--add-seccomp-fd", "9"];
}

/** What runs in front of the command: whatever of it begins with a path of ours. */
function ownPrograms(plan: LaunchPlan, command: readonly string[]): string[] {
  const front = command.slice(0, command.length - plan.command.length);
  return front.filter((word) => word === ENV || word === SHELL);
}

/** What the shell does before it becomes the inner layer. */
export function innerScript({ shielded, openFiles, limits, addedFilter }: LaunchPlan): string {
  return [
    shielded ? SHIELD : "",
    limits.agentFirst ? AGENT_FIRST : "",
    rlimitScript(limits.rlimits),
    limitFiles(openFiles),
    addedFilter ? SCRIPT + ADDED : SCRIPT,
  ].join("");
}

/** The options of the inner bwrap; `shims` are those that mount shims, which cover what is there. */
export function innerArguments(plan: LaunchPlan, shims: readonly string[] = []): string[] {
  return [
    "--die-with-parent",
    ...["--unshare-user", "--unshare-pid", "--disable-userns"],
    ...["--uid", String(plan.uid), "--gid", String(plan.gid)],
    ...["--cap-drop", "ALL"],
    ...["--bind", "/", "/"],
    ...["--tmpfs", "/run", "--ro-bind", PUBLIC_DIR, PUBLIC_DIR],
    ...plan.innerMounts,
    ...shims,
    // Root's agent owns the files below: read-only is what keeps core_pattern and its like away.
    ...["--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys"],
    ...["--ro-bind-try", "/proc/pressure", "/proc/pressure"],
    ...["--dev", "/dev"],
    ...["--chdir", plan.cwd],
    "--clearenv",
    ...Object.entries(environmentOf(plan)).flatMap(([name, value]) => ["--setenv", name, value]),
  ];
}

/** Stubs are found before everything else of their names. */
function environmentOf({ environment, secretStubs = [] }: LaunchPlan): LaunchPlan["environment"] {
  if (secretStubs.length === 0) return environment;
  return { ...environment, PATH: [STUBS_DIR, environment.PATH].filter(Boolean).join(":") };
}

/** The command, with the signals that the layer ignores set back to what they do by default. */
export function agentCommand(plan: Pick<LaunchPlan, "command" | "defaultSignals">): string[] {
  const { command, defaultSignals } = plan;
  if (defaultSignals.length === 0) return [...command];
  const reset = [ENV, `--default-signal=${defaultSignals.join(",")}`];
  // env would take a program named `a=b` for a variable.
  return command[0]!.includes("=")
    ? [...reset, SHELL, "-c", 'exec "$0" "$@"', ...command]
    : [...reset, ...command];
}
