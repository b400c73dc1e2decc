import { readPieces } from "../core/read_pieces.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { diagnoseStart } from "./bwrap.ts";
import { holdForeground } from "./foreground.ts";
import {
  type GroundPlan,
  type HostMessage,
  type InitMessage,
  jsonLines,
  type LaunchPlan,
} from "./handoff.ts";
import type { RefusalReport } from "./init/refusals/tally.ts";
import { ignoredSignals } from "./ignored_signals.ts";
import { noGate, ownTracer } from "./no_gate.ts";
import { moveLayer, type OuterLayer } from "./outer_layer.ts";
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

/** What a command is started from. */
export interface LaunchOptions {
  /** What it is started in. */
  readonly layer: OuterLayer;
  /** The `cgroup.procs` that the layer is to join, where it has not yet. */
  readonly moveTo?: string | undefined;
  /** What the command is to see. */
  readonly ground: GroundPlan;
  /**
   * What to run, once that is known; a failure ends the outer layer again. Asked for when the layer
   * has the ground, and builds on it meanwhile.
   */
  readonly plan: () => Promise<Result<LaunchPlan>>;
  /** Hears, before the command starts, why shims ask in place of the kernel. */
  readonly onShims: (reason: string) => void;
  /** Hears what something in the sandbox tried to reach, and no sandbox reaches. */
  readonly onRefusal: (report: RefusalReport) => void;
}

/** Why a command was not started. */
export interface LaunchError extends FirmaError {
  /** Whether bwrap could not make the outer layer, and nobody had it end. */
  readonly isOfLayer?: boolean;
}

/** How long the command may take to end when it is asked to, in milliseconds. */
const GRACE_MS = 5_000;

/** Hands over to the outer layer what it is to run, as soon as that is known. */
export async function launch(
  options: LaunchOptions,
): Promise<Result<ConfinedProcess, LaunchError>> {
  const { ground, plan, layer, moveTo } = options;
  const { child, met } = layer;
  const exited = child.ended;
  let asked = false;
  const terminate = () => {
    if (asked) return;
    asked = true;
    if (!handedOver) return child.kill(); // there is no command yet
    void send({ type: "terminate" });
    const kill = setTimeout(() => child.kill(), GRACE_MS);
    void exited.then(() => clearTimeout(kill));
  };
  const releaseSignals = holdSignals(terminate);
  const returnForeground = holdForeground();
  const guard = guardTerminal();
  let connection: Deno.Conn | undefined;
  let handedOver = false;
  let sent: Promise<unknown> = Promise.resolve();
  const send = (message: GroundPlan | LaunchPlan | HostMessage) => {
    const bytes = new TextEncoder().encode(JSON.stringify(message) + "\n");
    return sent = sent.then(() => connection && writeAll(connection, bytes)).catch(() => {});
  };
  const end = async () => {
    returnForeground();
    releaseSignals();
    connection?.close();
    connection = undefined;
    await guard.release();
  };

  const first = await met;
  if (first === undefined || !joinsCgroup(layer, moveTo)) {
    first?.close();
    child.kill();
    await exited;
    await end();
    return err({ ...diagnoseStart("bwrap could not set it up"), isOfLayer: !asked });
  }
  connection = first;
  const messages = jsonLines(readPieces(first)) as AsyncGenerator<InitMessage>;
  // The connection ends with the outer layer. Waiting for that end as well would lose what a
  // command had said that was over at once.
  const next = async () => {
    const answer = await messages.next().catch(() => undefined);
    return answer?.done === false ? answer.value : undefined;
  };
  await send(ground);
  const known = await Promise.race([plan(), exited]).catch((cause) => ({ cause }));
  if (typeof known === "number") {
    const said = await next();
    await end();
    return err(notStarted(said));
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
  void send(known.value);
  let message = await next();
  if (message?.type === "shims") {
    options.onShims(message.reason);
    void send({ type: "proceed" });
    message = await next();
  }
  if (message?.type !== "started") {
    await end();
    return err(notStarted(message));
  }

  let still = Promise.withResolvers<void>();
  return ok({
    exitCode: exited.finally(end),
    ended: hearEnd(messages, exited, options, () => still.resolve()),
    terminate,
    suspend() {
      still = Promise.withResolvers();
      void send({ type: "suspend" });
      return Promise.race([still.promise, exited.then(() => {})]);
    },
    resume: () => void send({ type: "resume" }),
    kill: () => child.kill(),
  });
}

/** Why there is no command, from what `__init` said last. */
function notStarted(message: InitMessage | undefined): FirmaError {
  if (message?.type !== "failed") return diagnoseStart("its first program ended early");
  return message.code === "EXEC_GATE"
    ? noGate(message.message, ownTracer())
    : diagnoseStart(message.message);
}

/** Whether the layer is in its cgroup, if it is to be in one. */
function joinsCgroup(layer: OuterLayer, procs: string | undefined): boolean {
  try {
    if (procs !== undefined) moveLayer(layer, procs);
    return true;
  } catch {
    return false;
  }
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
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
