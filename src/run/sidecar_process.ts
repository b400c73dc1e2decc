import { join } from "../core/path.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import type { SpareSidecar } from "./spare_sidecar.ts";
import { parseSession, type Session, type SessionRequest } from "./session.ts";
import { jsonLines } from "../core/json_lines.ts";
import { logTail } from "./log_tail.ts";

/** How grave a notice of the Sidecar is. */
export type NoticeLevel = "info" | "warn" | "error";

/** What starts a Sidecar for one run. */
export interface SidecarOptions {
  readonly process: SpareSidecar;
  readonly configFile: string;
  /** Digest that `configFile` had when it was checked. */
  readonly configDigest: string;
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

/** How a process ended. */
export interface Exit {
  readonly code: number;
  readonly signal: string | null;
}

/** A Sidecar that lives as long as this run. */
export interface SidecarProcess extends AsyncDisposable {
  readonly pid: number;
  /** Settles when it serves, or when it will not. */
  readonly ready: Promise<Result<{ readonly controlSocket: string }>>;
  readonly exited: Promise<Exit>;
  readonly logFile: string;
  /** Registers a session; may be asked for before the Sidecar serves. To be called once. */
  openSession(request: SessionRequest): Promise<Result<Session>>;
  /** Says how the agent ended, for the record. The Sidecar is to end next. */
  endSession(sessionId: string, exitCode: number): Promise<void>;
  /** Ends it: politely, then less so. Exit code 0: everything it knew is written down. */
  end(): Promise<Exit>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Names an exit for a person: `signal SIGKILL` or `exit code 3`. */
export function exitName({ code, signal }: Exit): string {
  return signal ? `signal ${signal}` : `exit code ${code}`;
}

/** A `FirmaError` as the Sidecar wrote it; everything in it is checked, nothing escaped. */
function parseError(value: unknown): FirmaError {
  const { code, message, cure, at } = (value ?? {}) as Readonly<Record<string, unknown>>;
  const place = (at ?? {}) as Readonly<Record<string, unknown>>;
  return {
    code: typeof code === "string" ? code : "SIDECAR_START_FAILED",
    message: typeof message === "string" ? message : "Cannot start the Sidecar",
    ...(typeof cure === "string" && { cure }),
    ...(typeof place.file === "string" && {
      at: {
        file: place.file,
        ...(typeof place.line === "number" && { line: place.line }),
        ...(typeof place.column === "number" && { column: place.column }),
      },
    }),
  };
}

function startFailure(state: string, logFile: string): FirmaError {
  const tail = logTail(logFile);
  return {
    code: "SIDECAR_START_FAILED",
    message: [`Cannot start the Sidecar: ${state}`, ...tail.map((line) => `  ${line}`)].join("\n"),
    cure: tail.length > 0
      ? "the lines above are the end of its log"
      : "start again; if it stays so, look at the load and the free memory of this machine",
  };
}

async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Writes at once what comes: `pipeTo` of a file writes nothing before the stream ends. */
async function copyToLog(stream: ReadableStream<Uint8Array>, file: string): Promise<void> {
  using log = Deno.openSync(file, { write: true, create: true, append: true, mode: 0o600 });
  for await (const bytes of stream) {
    try {
      for (let at = 0; at < bytes.length;) at += log.writeSync(bytes.subarray(at));
    } catch {
      // A full disk must not take the run down, nor block the Sidecar: read on.
    }
  }
}

/** Tells the process of a Sidecar what to serve. */
export function startSidecar(options: SidecarOptions): SidecarProcess {
  const logFile = join(options.runDirectory, "sidecar.log");
  const {
    readyTimeoutMs = 30_000,
    sessionTimeoutMs = 30_000,
    drainTimeoutMs = 5_000,
    terminateTimeoutMs = 2_000,
  } = options;
  const child = options.process;
  const exited = child.status;
  const logged = copyToLog(child.stderr, logFile);

  let serving = false;
  const session = Promise.withResolvers<Result<Session>>();
  let settle: (result: Result<{ controlSocket: string }>) => void = () => {};
  const started = new Promise<Result<{ controlSocket: string }>>((resolve) => settle = resolve);
  const messages = (async () => {
    for await (const message of jsonLines(child.stdout)) {
      if (message.type === "ready" && typeof message.control_socket === "string") {
        serving = true;
        settle(ok({ controlSocket: message.control_socket }));
      } else if (message.type === "session") {
        session.resolve(parseSession(message));
      } else if (message.type === "session-refused") {
        session.resolve(err(parseError(message.error)));
      } else if (message.type === "fatal") {
        settle(err(parseError(message.error)));
      } else if (message.type === "notice" && typeof message.text === "string") {
        const level = message.level === "warn" || message.level === "error"
          ? message.level
          : "info";
        options.onNotice(level, message.text);
      }
    }
  })();

  exited.then(async (status) => {
    await Promise.allSettled([messages, logged]);
    const failure = err(startFailure(`it ended with ${exitName(status)}`, logFile));
    settle(failure);
    session.resolve(failure);
  });
  const ready = within(readyTimeoutMs, started).then((result) =>
    result ?? err(startFailure(`it was not ready within ${readyTimeoutMs / 1000} s`, logFile))
  );

  const orders = child.stdin.getWriter();
  const order = (line: unknown) =>
    // What ended already hears nothing; that it ended is told by `exited`.
    orders.write(new TextEncoder().encode(`${JSON.stringify(line)}\n`)).catch(() => {});
  void order({
    type: "start",
    config: options.configFile,
    config_digest: options.configDigest,
    run_dir: options.runDirectory,
  });
  const signal = (name: Deno.Signal) => {
    try {
      child.kill(name);
    } catch {
      // It is gone already.
    }
  };
  const end = async (): Promise<Exit> => {
    await orders.close().catch(() => {});
    // What never served has nothing to write down.
    if (serving && await within(drainTimeoutMs, exited)) return await exited;
    signal("SIGTERM");
    if (!await within(terminateTimeoutMs, exited)) signal("SIGKILL");
    return await exited;
  };
  let ended: Promise<Exit> | undefined;
  return {
    pid: child.pid,
    ready,
    exited,
    logFile,
    async openSession(request) {
      void order({ type: "open-session", session: request });
      const result = await ready;
      if (!result.ok) return result;
      return await within(sessionTimeoutMs, session.promise) ??
        err(startFailure(`it opened no session within ${sessionTimeoutMs / 1000} s`, logFile));
    },
    async endSession(sessionId, exitCode) {
      await order({ type: "end-session", session_id: sessionId, exit: { exit_code: exitCode } });
    },
    end: () => ended ??= end(),
    async [Symbol.asyncDispose]() {
      await (ended ??= end());
    },
  };
}
