import { readPieces } from "../core/read_pieces.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { diagnoseStart } from "./bwrap.ts";
import { holdForeground } from "./foreground.ts";
import {
  HAS_GATE,
  type HostMessage,
  type InitMessage,
  jsonLines,
  type LaunchPlan,
  SHIELDED_SIGNALS,
} from "./handoff.ts";
import type { RefusalReport } from "./init/refusals/tally.ts";
import { ignoredSignals } from "./ignored_signals.ts";
import { spawn, type Spawned } from "./posix_spawn.ts";
import type { InitProgram } from "./program.ts";
import { guardTerminal } from "./terminal_guard.ts";

/** A command that runs in the sandbox. */
export interface ConfinedProcess {
  /** How it ended; 128 + n after signal n. Nothing of the sandbox is left then. */
  readonly exitCode: Promise<number>;
  /** The same, as soon as it is known: the sandbox around the command is about to end. */
  readonly ended: Promise<number>;
  /** Asks the command to end (SIGTERM), and ends it with all its children after a grace period. */
  terminate(): void;
  /** Stops the command and all of its children; resolves when they stand still, or have ended. */
  suspend(): Promise<void>;
  /** Lets them go on. */
  resume(): void;
  /** Ends all of it at once. */
  kill(): void;
}

/** What the outer layer is started from. */
export interface LaunchOptions {
  /** Path of bubblewrap. */
  readonly bwrap: string;
  /** The file system, as options of bwrap. */
  readonly mounts: readonly string[];
  readonly init: InitProgram;
  /** Whether the layers around the command ignore what the terminal sends. */
  readonly shielded: boolean;
  /** The `cgroup.procs` to join, where the sandbox has a cgroup. */
  readonly cgroupProcs?: string | undefined;
  /** Whether programs are held until they are decided. */
  readonly hasGate: boolean;
  /** What to run, once that is known; a failure ends the outer layer again. */
  readonly plan: Promise<Result<LaunchPlan>>;
  /** Hears, before the command starts, why shims ask in place of the kernel. */
  readonly onShims: (reason: string) => void;
  /** Hears what something in the sandbox tried to reach, and no sandbox reaches. */
  readonly onRefusal: (report: RefusalReport) => void;
  /** Where to meet `__init`. */
  readonly handoffSocket: string;
}

/** How long the command may take to end when it is asked to, in milliseconds. */
const GRACE_MS = 5_000;

/** Starts the outer layer, and hands over what it is to run as soon as that is known. */
export async function launch(options: LaunchOptions): Promise<Result<ConfinedProcess>> {
  const { plan, handoffSocket } = options;
  plan.catch(() => {}); // told where it is awaited
  const listener = Deno.listen({ transport: "unix", path: handoffSocket });
  const child = spawnOuterLayer(options);
  const exited = child.ended;
  let asked = false;
  const terminate = () => {
    if (asked) return;
    asked = true;
    if (!handedOver) return child.kill(); // there is no command yet
    send({ type: "terminate" });
    const kill = setTimeout(() => child.kill(), GRACE_MS);
    void exited.then(() => clearTimeout(kill));
  };
  const releaseSignals = holdSignals(terminate);
  const returnForeground = holdForeground();
  const guard = guardTerminal();
  let connection: Deno.Conn | undefined;
  let handedOver = false;
  const send = (message: LaunchPlan | HostMessage) => {
    connection?.write(new TextEncoder().encode(JSON.stringify(message) + "\n")).catch(() => {});
  };
  const end = async () => {
    returnForeground();
    releaseSignals();
    connection?.close();
    connection = undefined;
    await guard.release();
  };

  const accepted = listener.accept();
  accepted.catch(() => {});
  const first = await Promise.race([accepted, exited]);
  listener.close();
  if (typeof first === "number") {
    await end();
    return err(diagnoseStart("bwrap could not set it up"));
  }
  connection = first;
  const known = await Promise.race([plan, exited]).catch((cause) => ({ cause }));
  if (typeof known === "number") {
    await end();
    return err(diagnoseStart("its first program ended early"));
  }
  if ("cause" in known || !known.ok) {
    child.kill();
    await exited;
    await end();
    if ("cause" in known) throw known.cause;
    return known;
  }
  handedOver = true;
  await guard.ready;
  send(known.value);
  const messages = jsonLines(readPieces(first)) as AsyncGenerator<InitMessage>;
  // The connection ends with the outer layer. Waiting for that end as well would lose what a
  // command had said that was over at once.
  const next = async () => {
    const answer = await messages.next().catch(() => undefined);
    return answer?.done === false ? answer.value : undefined;
  };
  let message = await next();
  if (message?.type === "shims") {
    options.onShims(message.reason);
    send({ type: "proceed" });
    message = await next();
  }
  if (message?.type !== "started") {
    await end();
    if (message?.type !== "failed") return err(diagnoseStart("its first program ended early"));
    return err(
      message.code === "EXEC_GATE" ? noGate(message.message) : diagnoseStart(message.message),
    );
  }

  let still = Promise.withResolvers<void>();
  return ok({
    exitCode: exited.finally(end),
    ended: hearEnd(messages, exited, options, () => still.resolve()),
    terminate,
    suspend() {
      still = Promise.withResolvers();
      send({ type: "suspend" });
      return Promise.race([still.promise, exited.then(() => {})]);
    },
    resume: () => send({ type: "resume" }),
    kill: () => child.kill(),
  });
}

/** How the command ended, from `__init`, or from the end of the sandbox where that said nothing. */
async function hearEnd(
  messages: AsyncGenerator<InitMessage>,
  exited: Promise<number>,
  { onRefusal }: LaunchOptions,
  onSuspended: () => void,
): Promise<number> {
  try {
    for await (const message of messages) {
      if (message.type === "refused") onRefusal(message);
      else if (message.type === "suspended") onSuspended();
      else if (message.type === "ended") return message.code;
    }
  } catch {
    // The connection was cut.
  }
  return await exited;
}

function noGate(reason: string): FirmaError {
  return {
    code: "EXEC_GATE_UNAVAILABLE",
    message: `Cannot hold programs until they are decided: ${reason}`,
    cure: "use Linux 5.8 or newer, in a container with seccomp and ptrace permitted; or write " +
      'gate = "auto" in [run.sidecar_local_exec], which decides what rules name; or gate = "off", ' +
      "and what the agent starts is not decided",
  };
}

// "$@" begins with the name of the program, so nothing in it is read as shell.
const SHIELDED = `trap "" ${Object.keys(SHIELDED_SIGNALS).join(" ")}; exec "$@"`;

const JOIN_CGROUP = `echo 0 >"$1" || exit 1; shift; `;

function spawnOuterLayer(options: LaunchOptions): Spawned {
  const { bwrap, mounts, init, shielded, hasGate, cgroupProcs } = options;
  const script = shielded ? SHIELDED : 'exec "$@"';
  return spawn({
    program: "/bin/sh",
    args: [
      ...(cgroupProcs === undefined
        ? ["-c", script, "sh"]
        : ["-c", JOIN_CGROUP + script, "sh", cgroupProcs]),
      ...[bwrap, "--die-with-parent"],
      // Root inside, which on the host is still this user: __init sets up the network.
      ...["--unshare-all", "--unshare-user", "--uid", "0", "--gid", "0", "--cap-add", "ALL"],
      ...mounts,
      ...["--chdir", "/", "--", ...init.command],
    ],
    env: { ...init.environment, ...(hasGate && { [HAS_GATE]: "1" }) },
  });
}

/**
 * Keeps this process alive through what the terminal sends to everyone on it: that is for the
 * command to decide. What ends this process ends the command first. Returns how to stop.
 */
function holdSignals(terminate: () => void): () => void {
  const ignored = ignoredSignals();
  const nothing = () => {};
  const handlers = [
    ["SIGINT", nothing],
    ["SIGQUIT", nothing],
    ["SIGTERM", ignored.has("TERM") ? nothing : terminate],
    ["SIGHUP", ignored.has("HUP") ? nothing : terminate],
  ] as const;
  for (const [signal, handler] of handlers) Deno.addSignalListener(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) Deno.removeSignalListener(signal, handler);
  };
}
