import { type Environment, stateDir } from "../config/paths.ts";
import { selfCommand } from "../config/self_command.ts";
import { jsonLines } from "../core/json_lines.ts";
import { err, ok, type Result } from "../core/result.ts";
import { type Message, parseError } from "./helper_process.ts";
import { logTail } from "./log_tail.ts";
import { daemonPaths } from "./state.ts";
import type { DaemonConfig } from "./supervisor.ts";
import { within } from "./within.ts";

/** Longer than its parts may take to become ready. */
const READY_MS = 90_000;

/**
 * Starts a daemon that stays when this process and its terminal are gone. Resolves to the pid of
 * its supervisor once it serves, or to the reason why it does not; then nothing of it is left.
 */
export async function startDetached(
  env: Environment,
  config: DaemonConfig,
): Promise<Result<{ readonly pid: number }>> {
  const [executable, ...prefix] = selfCommand();
  const child = new Deno.Command(executable, {
    args: [...prefix, "__supervise"],
    // A daemon keeps no directory busy; a relative state directory was meant from here.
    cwd: "/",
    env: { FIRMA_STATE_DIR: stateDir(env), NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
    detached: true,
  }).spawn();
  child.unref();
  const orders = child.stdin.getWriter();
  const order = (line: unknown) =>
    orders.write(new TextEncoder().encode(`${JSON.stringify(line)}\n`)).catch(() => {});
  await order({
    type: "start",
    file: config.file,
    digest: config.digest,
    with_authority: config.withAuthority,
    connect_timeout_ms: config.connectTimeoutMs,
  });
  const answers = jsonLines(child.stdout);
  const answer = await within(READY_MS + config.connectTimeoutMs, answers.next());
  const said: Message | undefined = answer?.value;
  const isReady = said?.type === "ready";
  if (isReady) await order({ type: "stay" });
  // Without that word it ends by itself now.
  await orders.close().catch(() => {});
  if (isReady) return ok({ pid: child.pid });
  if (said?.type === "fatal") return err(parseError(said.error, "START_FAILED", "daemon"));
  const tail = logTail(daemonPaths(env).supervisorLog).map((line) => `  ${line}`);
  return err({
    code: "START_FAILED",
    message: ["Cannot start the daemon: its supervisor did not say why", ...tail].join("\n"),
  });
}
