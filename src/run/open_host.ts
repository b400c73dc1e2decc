/** From a configuration to a session at a Sidecar: one that runs already, or one of the run's own. */
import { dirname } from "../core/path.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { SocketPool } from "../sidecar/socket_pool.ts";
import { chooseSidecar } from "./choose_sidecar.ts";
import { withDesktop } from "./desktop.ts";
import { joinSidecar } from "./joined_sidecar.ts";
import { withoutRepeats } from "./notice_filter.ts";
import type { RunInterface, RunOptions } from "./options.ts";
import type { PreparedConfig } from "./prepare.ts";
import type { Session, SessionRequest } from "./session.ts";
import type { SessionHost } from "./session_host.ts";
import { startSidecar } from "./sidecar_process.ts";
import type { SpareSidecar } from "./spare_sidecar.ts";

/** A Sidecar with the session that was asked of it. */
export interface Hosted {
  readonly host: SessionHost;
  /** The session, as soon as it is open. */
  readonly session: Promise<Result<Session>>;
  /** Where its socket is or will be, alone; the directory is there already. */
  readonly proxyDir: string;
}

/** What it takes to find or start a Sidecar. */
export interface HostOptions {
  readonly prepared: PreparedConfig;
  readonly run: RunOptions;
  readonly request: SessionRequest;
  readonly runDirectory: string;
  readonly ui: RunInterface;
  /** The process of a Sidecar of its own. */
  readonly takeSpare: () => SpareSidecar;
  /** Ends the waiting for a Sidecar that runs. */
  readonly signal: AbortSignal;
  /** Called when a Sidecar has been asked: until it answers there is time for other work. */
  readonly onAsked: () => void;
}

/** Refusals after which a Sidecar of its own will do. */
const PASSING: readonly string[] = ["OTHER_CONFIG", "SIDECAR_DRAINING", "SIDECAR_UNREACHABLE"];

/** Joins a Sidecar or starts one, and asks it for a session. */
export async function openHost(options: HostOptions): Promise<Result<Hosted>> {
  const { prepared: { config, digest }, run, ui, request, signal, onAsked } = options;
  const meant = { file: config.file, digest };
  const choice = await chooseSidecar(run.sidecar, meant, run.env, ui, signal);
  if (!choice.ok) return choice;
  if (choice.value.kind === "own") return ok(startOwn(options));
  const { controlSocket, mayFallBack } = choice.value;
  const onNotice = withoutRepeats(tellerOf(options));
  const host = joinSidecar({ controlSocket, config: meant, onNotice, signal, onAsked });
  const session = await host.openSession(request);
  if (session.ok) {
    const proxyDir = dirname(session.value.proxy_socket);
    return ok({ host, session: Promise.resolve(session), proxyDir });
  }
  await host.end();
  if (!mayFallBack || !PASSING.includes(session.error.code)) return err(cured(session.error));
  ui.tell("warn", `this run has a Sidecar of its own: ${session.error.message}`);
  return ok(startOwn(options));
}

function startOwn(options: HostOptions): Hosted {
  const { prepared, run, request, runDirectory, takeSpare, onAsked } = options;
  const { config, digest } = prepared;
  const host = startSidecar({
    process: takeSpare(),
    configFile: config.file,
    configDigest: digest,
    authority: run.authority,
    runDirectory,
    onNotice: withoutRepeats(tellerOf(options)),
    readyTimeoutMs: run.sidecar.startupTimeoutMs +
      (config.sidecar.authority.remote?.connectTimeoutMs ?? 0),
  });
  // The sandbox mounts it before there is a session.
  const proxyDir = dirname(SocketPool.ofRun(runDirectory).paths[0]!);
  Deno.mkdirSync(proxyDir, { recursive: true, mode: 0o700 });
  const session = host.openSession(request);
  onAsked();
  return { host, session, proxyDir };
}

/** Where the notices of the Sidecar go. */
function tellerOf({ prepared: { config }, ui }: HostOptions): RunInterface["tell"] {
  return config.sidecar.approvals.desktopNotification ? withDesktop(ui.tell) : ui.tell;
}

function cured(error: FirmaError): FirmaError {
  if (error.code !== "TOO_MANY_SESSIONS") return error;
  return { ...error, cure: "end a session, or run with --sidecar local" };
}
