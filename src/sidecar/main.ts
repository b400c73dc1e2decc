/** `__sidecar`: the Sidecar of one run or of a daemon; talks JSON lines with whoever started it. */
import { jsonLines } from "../core/json_lines.ts";
import { readPieces } from "../core/read_pieces.ts";
import { err, type FirmaError, FirmaException, type Result } from "../core/result.ts";
import type { MintedPlaceholders } from "../secrets/placeholder.ts";
import type { ControlTarget } from "./control.ts";
import { EarlyWorker } from "./early_worker.ts";
import { errorLine } from "./notices.ts";
import { prepare, type SidecarOptions } from "./prepare.ts";
import { say as sayLine, sayable } from "./say.ts";
import type { Sidecar } from "./sidecar.ts";

/** What the Sidecar says on standard output, one JSON object a line. */
type Line =
  | { readonly type: "ready"; readonly control_socket: string }
  | { readonly type: "fatal"; readonly error: Omit<FirmaError, "cause"> }
  | {
    readonly type: "session";
    readonly session_id: string;
    readonly proxy_socket: string | undefined;
    readonly ca_certificate: string;
    readonly environment: MintedPlaceholders["environment"];
    readonly sign_ins: MintedPlaceholders["signIns"];
  }
  | { readonly type: "session-refused"; readonly error: Omit<FirmaError, "cause"> }
  | { readonly type: "notice"; readonly level: "info" | "warn" | "error"; readonly text: string };

/**
 * Runs the Sidecar until standard input closes or a signal asks it to end. `args`: the
 * configuration that it will probably be told to serve, and the directory of its run.
 */
export async function main(args: readonly string[] = []): Promise<number> {
  const ending = new AbortController();
  const cut = new AbortController();
  endOnSignal(ending, cut);
  const orders = jsonLines(readPieces(Deno.stdin));
  const sidecar = await Promise.race([start(orders, args), aborted(ending.signal)]);
  if (!sidecar) return 0;
  if (!sidecar.ok) {
    for (const error of sidecar.error.slice(1)) {
      say({ type: "notice", level: "error", text: errorLine(error) });
    }
    say({ type: "fatal", error: sayable(sidecar.error[0]!) });
    return 1;
  }
  say({ type: "ready", control_socket: sidecar.value.controlSocket });
  const drain = { ms: 0 };
  obeyStarter(orders, sidecar.value.control, drain).finally(() => ending.abort());
  await aborted(ending.signal);
  const drained = await sidecar.value.close(drain.ms, cut.signal);
  if (!drained.ok) say({ type: "notice", level: "error", text: drained.error.message });
  return drained.ok ? 0 : 1;
}

type Orders = AsyncGenerator<Readonly<Record<string, unknown>>>;

/**
 * Waits to be told what to serve, and starts. Until then this process has done nothing but load;
 * `undefined`: whoever started it has no use for it.
 */
async function start(
  orders: Orders,
  [likelyConfig, likelyDirectory]: readonly string[],
): Promise<Result<Sidecar, readonly FirmaError[]> | undefined> {
  const env = Deno.env.toObject();
  // First, because another thread loads it.
  const early = likelyConfig !== undefined && likelyDirectory !== undefined
    ? new EarlyWorker(likelyConfig, likelyDirectory, env)
    : undefined;
  const ordered = orders.next();
  // A file that cannot be read to its end must not keep this from hearing what to do.
  await Promise.race([early?.begun, ordered]);
  // Loads meanwhile; whoever awaits it hears of what goes wrong.
  const loading = import("./sidecar.ts");
  loading.catch(() => {});
  const first = await ordered;
  if (first.done) return undefined;
  const { type, config, config_digest, authority, run_dir, lasts } = first.value;
  if (type !== "start" || typeof config !== "string" || typeof run_dir !== "string") {
    const message = "Cannot start the Sidecar: the first order does not say what to serve";
    return err([{ code: "USAGE", message }]);
  }
  const options: SidecarOptions = {
    configFile: config,
    configDigest: typeof config_digest === "string" ? config_digest : undefined,
    authority: typeof authority === "string" ? authority : undefined,
    runDirectory: run_dir,
    lasts: lasts === true,
    env,
    notify: (level, text) => say({ type: "notice", level, text }),
  };
  try {
    const groundwork = await prepare(options, early?.take());
    if (!groundwork.ok) return groundwork;
    const { Sidecar } = await loading;
    return await Sidecar.start(groundwork.value, options);
  } catch (cause) {
    if (cause instanceof FirmaException) return err([cause.error]);
    throw cause;
  }
}

function say(line: Line): void {
  sayLine(line);
}

/** A signal ends it, and cuts off calls that were given time to end. */
function endOnSignal(ending: AbortController, cut: AbortController): void {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => {
      cut.abort();
      ending.abort();
    });
  }
}

/**
 * Does what whoever started this Sidecar says on standard input, one JSON object a line. After
 * `{"type": "start", "config": …, "config_digest": …, "run_dir": …}` these are `{"type":
 * "open-session", "session": …}` and `{"type": "end-session", "session_id": …, "exit": …}`,
 * `{"type": "finding", "session_id": …, "finding": …}`, with the bodies of the control API, and at last `{"type": "drain", "timeout_ms": …}`: how long calls
 * may take to end. Resolves then, or when the other end closes, as it does however that process
 * dies.
 */
async function obeyStarter(
  orders: Orders,
  control: ControlTarget,
  drain: { ms: number },
): Promise<void> {
  try {
    for await (const line of orders) {
      if (line.type === "open-session") say(await openSession(control, line.session));
      else if (line.type === "finding") await recordFinding(control, line);
      else if (line.type === "end-session") await endSession(control, line);
      else if (line.type === "drain") {
        drain.ms = typeof line.timeout_ms === "number" ? line.timeout_ms : 0;
        return;
      }
    }
  } catch {
    // As good as closed.
  }
}

async function openSession(control: ControlTarget, body: unknown): Promise<Line> {
  const { parseSessionBody } = await import("./session_body.ts"); // the rest has loaded it by now
  const request = parseSessionBody(body);
  const opened = request.ok ? await control.openSession(request.value) : request;
  if (!opened.ok) return { type: "session-refused", error: sayable(opened.error) };
  return {
    type: "session",
    session_id: opened.value.sessionId,
    proxy_socket: opened.value.proxySocket,
    ca_certificate: control.certificatePem,
    environment: opened.value.environment,
    sign_ins: opened.value.signIns,
  };
}

async function recordFinding(
  control: ControlTarget,
  { session_id, finding }: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { parseFindingBody } = await import("./session_body.ts");
  const parsed = parseFindingBody(finding);
  if (parsed.ok) control.recordFinding(String(session_id), parsed.value);
}

async function endSession(
  control: ControlTarget,
  { session_id, exit }: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { parseEndBody } = await import("./session_body.ts");
  const exitCode = parseEndBody(exit);
  // A log that cannot be written is told of when the Sidecar ends, which is next.
  await control.endSession(String(session_id), exitCode.ok ? exitCode.value : undefined);
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) =>
    signal.addEventListener("abort", () => resolve(), { once: true })
  );
}
