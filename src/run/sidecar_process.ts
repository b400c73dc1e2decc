import { join } from "../core/path.ts";
import { err, ok, type Result } from "../core/result.ts";
import { exitName, type NoticeLevel, parseError, startHelper } from "../daemon/helper_process.ts";
import { within } from "../daemon/within.ts";
import { parseSession, type Session } from "./session.ts";
import type { SessionHost } from "./session_host.ts";
import type { SpareSidecar } from "./spare_sidecar.ts";
import { weighLosses } from "./weigh_losses.ts";

/** What starts a Sidecar for one run. */
export interface SidecarOptions {
  readonly process: SpareSidecar;
  readonly configFile: string;
  /** Digest that `configFile` had when it was checked. */
  readonly configDigest: string;
  /** An Authority that goes before the one that is configured. */
  readonly authority?: string | undefined;
  readonly runDirectory: string;
  /** Hears what the Sidecar has to tell the operator; the text is not escaped. */
  readonly onNotice: (level: NoticeLevel, text: string) => void;
  /** How long it may take to serve. @default 30_000 */
  readonly readyTimeoutMs?: number;
  /** How long it may take to open a session once it serves. @default 30_000 */
  readonly sessionTimeoutMs?: number;
  /** How long it may take to write down what it knows once it is to end. @default 5_000 */
  readonly drainTimeoutMs?: number;
  /** How long it may take to end once it is told so by a signal. @default 2_000 */
  readonly terminateTimeoutMs?: number;
}

/** A Sidecar that lives as long as this run; a session may be asked for before it serves. */
export interface SidecarProcess extends SessionHost {
  readonly pid: number;
  /** Settles when it serves, or when it will not. */
  readonly ready: Promise<Result<{ readonly controlSocket: string }>>;
  readonly logFile: string;
}

/** Tells the process of a Sidecar what to serve. */
export function startSidecar(options: SidecarOptions): SidecarProcess {
  const { sessionTimeoutMs = 30_000 } = options;
  const session = Promise.withResolvers<Result<Session>>();
  const helper = startHelper({
    process: options.process,
    name: "Sidecar",
    code: "SIDECAR",
    firstOrder: {
      type: "start",
      config: options.configFile,
      config_digest: options.configDigest,
      run_dir: options.runDirectory,
      ...(options.authority !== undefined && { authority: options.authority }),
    },
    logFile: join(options.runDirectory, "sidecar.log"),
    onNotice: options.onNotice,
    onMessage(message) {
      if (message.type === "session") session.resolve(parseSession(message));
      else if (message.type === "session-refused") {
        session.resolve(err(parseError(message.error, "SIDECAR_REFUSED", "session")));
      }
    },
    readyTimeoutMs: options.readyTimeoutMs ?? 30_000,
    drainTimeoutMs: options.drainTimeoutMs ?? 5_000,
    terminateTimeoutMs: options.terminateTimeoutMs ?? 2_000,
  });
  helper.exited.then(async () => {
    const failed = await helper.ready;
    session.resolve(failed.ok ? err(helper.failure("it ended early")) : failed);
  });
  return {
    pid: helper.pid,
    ready: helper.ready.then((result) =>
      result.ok ? ok({ controlSocket: String(result.value.control_socket) }) : result
    ),
    exited: helper.exited.then(exitName),
    logFile: helper.logFile,
    async openSession(request) {
      void helper.order({ type: "open-session", session: request });
      const result = await helper.ready;
      if (!result.ok) return result;
      return await within(sessionTimeoutMs, session.promise) ??
        err(helper.failure(`it opened no session within ${sessionTimeoutMs / 1000} s`));
    },
    async report(sessionId, finding) {
      await helper.order({ type: "finding", session_id: sessionId, finding });
    },
    async weigh(question) {
      const ready = await helper.ready;
      if (!ready.ok) return { kind: "unknown" };
      return await weighLosses(String(ready.value.control_socket), question);
    },
    async endSession(sessionId, exitCode) {
      const exit = { exit_code: exitCode };
      await helper.order({ type: "end-session", session_id: sessionId, exit });
    },
    end: async () => (await helper.end()).code === 0,
    [Symbol.asyncDispose]: async () => void await helper.end(),
  };
}
