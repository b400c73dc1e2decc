/** `__supervise`: keeps a daemon running after whoever started it has gone. */
import { jsonLines } from "../core/json_lines.ts";
import { err, type Result } from "../core/result.ts";
import { say, sayable } from "../sidecar/say.ts";
import { appendLog } from "./daemon_log.ts";
import { daemonPaths } from "./state.ts";
import { takeStopRequest } from "./stop_request.ts";
import { type DaemonConfig, Supervisor } from "./supervisor.ts";

/**
 * Starts what the first line of standard input says, tells on standard output how that went, and
 * stays until a signal asks it to end. When its standard input closes before that has been told,
 * nothing stays.
 */
export async function main(): Promise<number> {
  const ending = Promise.withResolvers<void>();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => ending.resolve());
  }
  const env = Deno.env.toObject();
  const paths = daemonPaths(env);
  const log = (level: "info" | "warn" | "error", text: string) =>
    appendLog(paths.supervisorLog, level, text);
  globalThis.addEventListener("unhandledrejection", (event) => {
    // Nobody sees its standard error.
    event.preventDefault();
    log("error", `Internal error: ${event.reason?.stack ?? event.reason}`);
  });
  const orders = jsonLines(Deno.stdin.readable);
  const config = readConfig((await orders.next()).value);
  if (!config.ok) return refuse(config);
  // "stay" comes when whoever started this knows that it serves; without it, nobody wants it.
  void orders.next().catch(() => ({ done: true })).then(({ done }) => {
    if (done) ending.resolve();
  });
  const supervisor = await Supervisor.start({ env, config: config.value, restarts: true });
  if (!supervisor.ok) {
    log("error", supervisor.error.message);
    return refuse(supervisor);
  }
  log("info", `Serves "${config.value.file}"`);
  say({ type: "ready" });
  Deno.stdout.close();
  await ending.promise;
  log("info", "Is asked to end");
  const whole = await supervisor.value.stop(takeStopRequest(paths));
  log(whole ? "info" : "error", whole ? "Ended" : "Ended; the last records may be missing");
  return whole ? 0 : 1;
}

function refuse(result: Extract<Result<unknown>, { ok: false }>): number {
  say({ type: "fatal", error: sayable(result.error) });
  return 1;
}

function readConfig(order: unknown): Result<DaemonConfig> {
  const { type, file, digest, with_authority, connect_timeout_ms } = (order ?? {}) as Readonly<
    Record<string, unknown>
  >;
  if (type !== "start" || typeof file !== "string" || typeof digest !== "string") {
    const message = "Cannot start a daemon: the first order does not say what to serve";
    return err({ code: "USAGE", message });
  }
  return {
    ok: true,
    value: {
      file,
      digest,
      withAuthority: with_authority === true,
      connectTimeoutMs: typeof connect_timeout_ms === "number" ? connect_timeout_ms : 0,
    },
  };
}
