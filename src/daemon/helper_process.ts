/** A process of firma itself that serves, and talks JSON lines with whoever started it. */
import { selfCommand } from "../config/self_command.ts";
import { jsonLines } from "../core/json_lines.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { logTail } from "./log_tail.ts";
import { within } from "./within.ts";

/** How grave a notice is. */
export type NoticeLevel = "info" | "warn" | "error";

/** A JSON object as it came; nothing in it is checked or escaped. */
export type Message = Readonly<Record<string, unknown>>;

/** What a helper is told and how its answers are heard. */
export interface HelperOptions {
  readonly process: Deno.ChildProcess;
  /** What it is, for a person: `Sidecar`. */
  readonly name: string;
  /** Start of the codes of its failures: `SIDECAR`. */
  readonly code: string;
  /** Told at once. */
  readonly firstOrder: unknown;
  /** Takes what it prints on standard error. */
  readonly logFile: string;
  /** Hears what it has to tell the operator; the text is not escaped. */
  readonly onNotice: (level: NoticeLevel, text: string) => void;
  /** Hears everything else that it says. @default nobody */
  readonly onMessage?: (message: Message) => void;
  /** How long it may take to serve, in milliseconds. */
  readonly readyTimeoutMs: number;
  /** How long it may take to write down what it knows once it is to end, in milliseconds. */
  readonly drainTimeoutMs: number;
  /** How long it may take to end once it is told so by a signal, in milliseconds. */
  readonly terminateTimeoutMs: number;
}

/** How a process ended. */
export interface Exit {
  readonly code: number;
  readonly signal: string | null;
}

/** A helper that was told what to serve. */
export interface HelperProcess {
  readonly pid: number;
  /** Settles when it serves, with what it said then, or when it will not. */
  readonly ready: Promise<Result<Message>>;
  /** Resolves when it has ended and everything that it said was heard. */
  readonly exited: Promise<Exit>;
  readonly logFile: string;
  /** Tells it something more. What ended already hears nothing. */
  order(line: unknown): Promise<void>;
  /** A failure of it, with the end of its log. */
  failure(state: string): FirmaError;
  /**
   * Ends it: politely, then less so. Exit code 0: everything it knew is written down.
   * `lastOrder` is told before its standard input closes; `drainTimeoutMs` goes before the usual.
   */
  end(lastOrder?: unknown, drainTimeoutMs?: number): Promise<Exit>;
}

/**
 * Starts this program again with a hidden subcommand, in a session of its own: what a terminal
 * sends reaches it as little as the end of that terminal. It ends when its standard input closes,
 * however this process dies.
 */
export function spawnHelper(
  subcommand: string,
  program: readonly [string, ...string[]] = selfCommand(),
  args: readonly string[] = [],
): Deno.ChildProcess {
  const [executable, ...prefix] = program;
  return new Deno.Command(executable, {
    args: [...prefix, subcommand, ...args],
    // Without the first, only Mozilla's roots count, and a company's own CA does not.
    env: { DENO_TLS_CA_STORE: "system,mozilla", NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    detached: true,
  }).spawn();
}

/** Ends a helper that was told nothing, because it turned out not to be needed. */
export async function dismissHelper(child: Deno.ChildProcess): Promise<void> {
  try {
    child.kill("SIGKILL");
  } catch {
    // It is gone already.
  }
  await Promise.all([child.stdin.abort(), child.stdout.cancel(), child.stderr.cancel()])
    .catch(() => {});
  await child.status;
}

/** Names an exit for a person: `signal SIGKILL` or `exit code 3`. */
export function exitName({ code, signal }: Exit): string {
  return signal ? `signal ${signal}` : `exit code ${code}`;
}

/** Tells a helper what to serve. */
export function startHelper(options: HelperOptions): HelperProcess {
  const { process: child, name, code, logFile } = options;
  const failure = (state: string) => startFailure(name, code, state, logFile);
  const started = Promise.withResolvers<Result<Message>>();
  let serving = false;
  const hear = (message: Message) => {
    if (message.type === "ready") {
      serving = true;
      started.resolve(ok(message));
    } else if (message.type === "fatal") {
      started.resolve(err(parseError(message.error, `${code}_START_FAILED`, name)));
    } else if (message.type === "notice" && typeof message.text === "string") {
      options.onNotice(levelOf(message.level), message.text);
    } else options.onMessage?.(message);
  };
  const messages = (async () => {
    for await (const message of jsonLines(child.stdout)) hear(message);
  })();
  const logged = copyToLog(child.stderr, logFile);
  const exited = child.status.then(async (status) => {
    await Promise.allSettled([messages, logged]);
    started.resolve(err(failure(`it ended with ${exitName(status)}`)));
    return status;
  });
  const ready = within(options.readyTimeoutMs, started.promise).then((result) =>
    result ?? err(failure(`it was not ready within ${options.readyTimeoutMs / 1000} s`))
  );
  const orders = child.stdin.getWriter();
  const order = (line: unknown) =>
    orders.write(new TextEncoder().encode(`${JSON.stringify(line)}\n`)).catch(() => {});
  void order(options.firstOrder);
  const end = async (lastOrder: unknown, drainTimeoutMs = options.drainTimeoutMs) => {
    if (lastOrder !== undefined) void order(lastOrder);
    await orders.close().catch(() => {});
    // What never served has nothing to write down.
    if (serving && await within(drainTimeoutMs, exited)) return await exited;
    kill(child, "SIGTERM");
    if (!await within(options.terminateTimeoutMs, exited)) kill(child, "SIGKILL");
    return await exited;
  };
  let ended: Promise<Exit> | undefined;
  return {
    pid: child.pid,
    ready,
    exited,
    logFile,
    order,
    failure,
    end: (lastOrder, drainTimeoutMs) => ended ??= end(lastOrder, drainTimeoutMs),
  };
}

/** A `FirmaError` as a helper wrote it; everything in it is checked, nothing escaped. */
export function parseError(value: unknown, fallbackCode: string, name: string): FirmaError {
  const { code, message, cure, at } = (value ?? {}) as Message;
  const place = (at ?? {}) as Message;
  return {
    code: typeof code === "string" ? code : fallbackCode,
    message: typeof message === "string" ? message : `Cannot start the ${name}`,
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

function startFailure(name: string, code: string, state: string, logFile: string): FirmaError {
  const tail = logTail(logFile);
  return {
    code: `${code}_START_FAILED`,
    message: [`Cannot start the ${name}: ${state}`, ...tail.map((line) => `  ${line}`)].join("\n"),
    cure: tail.length > 0
      ? "the lines above are the end of its log"
      : "start again; if it stays so, look at the load and the free memory of this machine",
  };
}

function levelOf(level: unknown): NoticeLevel {
  return level === "warn" || level === "error" ? level : "info";
}

function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // It is gone already.
  }
}

/** Writes at once what comes: `pipeTo` of a file writes nothing before the stream ends. */
async function copyToLog(stream: ReadableStream<Uint8Array>, file: string): Promise<void> {
  using log = Deno.openSync(file, { write: true, create: true, append: true, mode: 0o600 });
  for await (const bytes of stream) {
    try {
      for (let at = 0; at < bytes.length;) at += log.writeSync(bytes.subarray(at));
    } catch {
      // A full disk must not take the run down, nor block the helper: read on.
    }
  }
}
