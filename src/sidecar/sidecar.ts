import { dirname, join } from "../core/path.ts";
import type { ShippingSink } from "../audit/ship/shipping_sink.ts";
import { AuditWriter } from "../audit/writer.ts";
import type { Environment } from "../config/paths.ts";
import { giveUpPermissions } from "../config/permissions.ts";
import type { FirmaConfig } from "../config/schema.ts";
import type { ExecutionEvent } from "../core/event.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { timestamp } from "../core/timestamp.ts";
import { SessionCa } from "../pki/session_ca.ts";
import { openAuditKey } from "./audit_key.ts";
import { cedarBytes, cedarSize } from "../policy/cedar_module.ts";
import { AuditFeed } from "./audit_feed.ts";
import { followAuthority } from "./authority_follower.ts";
import type { Authority, IdentityTokenRequest } from "../core/authority.ts";
import { LiveCredentials } from "./credentials/live_credentials.ts";
import type { BrokerKeeper } from "./credentials/broker_keeper.ts";
import type { ControlTarget } from "./control.ts";
import { ControlServer } from "./control_server.ts";
import { DataPlane } from "./data_plane.ts";
import { DecisionListener } from "./decision/listener.ts";
import { effectiveMode, isMonitorAllowed, type Mode } from "./monitor_mode.ts";
import { LateApprovals } from "./late_approvals.ts";
import { LiveConfig } from "./live_config.ts";
import { errorLine, NoticeBoard, type Notify } from "./notices.ts";
import type { Groundwork, SidecarOptions } from "./prepare.ts";
import { openAuthority } from "./open_authority.ts";
import { sidecarStatus } from "./sidecar_status.ts";
import { Sessions } from "./sessions.ts";

interface Parts {
  readonly groundwork: Groundwork;
  readonly live: LiveConfig;
  readonly board: NoticeBoard;
  readonly audit: AuditWriter;
  readonly sinks: readonly ShippingSink[];
  readonly ca: SessionCa;
  readonly mode: Mode;
  readonly plane: DataPlane;
  readonly sessions: Sessions;
  readonly approvals: LateApprovals;
  readonly close: () => Promise<Result<void>>;
}

/** How often it is looked whether the last call has ended, in milliseconds. */
const DRAIN_LOOK_MS = 20;

/** How long putting an edit in force may take, for whoever asks for it. */
const APPLY_LIMIT_MS = 10_000;

/** A Sidecar. */
export class Sidecar {
  /** What can be asked of it, at the control socket and by whoever started it. */
  readonly control: ControlTarget;
  readonly #parts: Parts;
  readonly #server: ControlServer;
  readonly #drain: Drain;

  private constructor(parts: Parts, control: ControlTarget, server: ControlServer, drain: Drain) {
    this.#parts = parts;
    this.control = control;
    this.#server = server;
    this.#drain = drain;
  }

  /** Path of the socket of the control API. */
  get controlSocket(): string {
    return this.#server.path;
  }

  /** Starts everything; when one part cannot start, what is wrong with it comes back. */
  static async start(
    groundwork: Groundwork,
    options: SidecarOptions,
  ): Promise<Result<Sidecar, readonly FirmaError[]>> {
    try {
      const parts = await assemble(groundwork, options);
      if (!parts.ok) return parts;
      const drain: Drain = { begun: false };
      const control = controlTarget(parts.value, drain);
      const path = join(options.runDirectory, "control.sock");
      const server = await ControlServer.open(control, path);
      await giveUpPermissions();
      return ok(new Sidecar(parts.value, control, server, drain));
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      return err([{
        code: "SIDECAR_START_FAILED",
        message: `Cannot start the Sidecar in "${options.runDirectory}": ${reason}`,
        cause,
      }]);
    }
  }

  /**
   * Opens no more sessions, and waits until the last call has ended, at most `drainMs`, and no
   * longer once `cut` aborts. Then it ends every session, writes what is left to the audit log, and
   * closes everything.
   */
  async close(drainMs = 0, cut?: AbortSignal): Promise<Result<void>> {
    const { plane, sessions, approvals } = this.#parts;
    this.#drain.begun = true;
    const until = performance.now() + drainMs;
    while (plane.openCalls > 0 && performance.now() < until && !cut?.aborted) {
      await new Promise((resolve) => setTimeout(resolve, DRAIN_LOOK_MS));
    }
    // First, so that what waits for people is not ended with the sessions.
    approvals.close();
    await sessions.endAll();
    await this.#server.close();
    return await this.#parts.close();
  }
}

/** Whether a Sidecar takes no more sessions, because it is about to end. */
interface Drain {
  begun: boolean;
}

/** Starts the parts; stops those that have started when another cannot. */
async function assemble(
  groundwork: Groundwork,
  options: SidecarOptions,
): Promise<Result<Parts, readonly FirmaError[]>> {
  await using started = new AsyncDisposableStack();
  const { env } = options;
  const board = new NoticeBoard();
  board.listen(options.notify);
  const notify = board.tell;
  const { config, known, mapping, sockets, spare } = groundwork;
  started.defer(() => spare?.end());
  // First, because it keeps other threads busy.
  const makingCa = SessionCa.create();
  makingCa.catch(() => {}); // told where it is awaited
  const opened = await openAudit(config, env, notify);
  if (!opened.ok) return err([opened.error]);
  const { audit, sinks } = opened.value;
  started.defer(async () => void await audit.close());
  const feed = new AuditFeed(audit);
  const isAllowed = isMonitorAllowed(env);
  const usual = effectiveMode(config.sidecar.mode, isAllowed, notify);
  const { credentials, httpSecretProviders, cliSecretProviders: stores } = config.sidecar;
  const { promise: authorityOpened, resolve: authorityIsOpen } = Promise.withResolvers<Authority>();
  const identify = async (request: IdentityTokenRequest) =>
    await (await authorityOpened).issueIdentityToken(request);
  // Who may start programs is settled here and now. A run alone does without until it needs it: a
  // thread more would be a tenth of its start.
  const broker =
    credentials.length + httpSecretProviders.length + stores.length > 0 || options.lasts
      ? await startBroker({ credentials, stores }, config, env, notify, identify)
      : undefined;
  started.defer(() => broker?.close());
  const record = (event: ExecutionEvent) => feed.append(event);
  const approvals = new LateApprovals(
    { config: config.sidecar.approvals, env, record, notify },
    options.runDirectory,
  );
  started.defer(() => approvals.close());
  let sessions: Sessions | undefined;
  let live: LiveConfig | undefined;
  const plane = await DataPlane.start({
    config: groundwork.worker,
    mapping,
    known,
    sockets,
    spare,
    cedar: { size: cedarSize, read: cedarBytes },
    audit: feed,
    leaf: async (host) => await (await makingCa).leaf(host),
    notify,
    approvals,
    ...broker && { broker },
    lost: (sessionId) => void sessions?.end(sessionId, undefined),
  });
  if (!plane.ok) return plane;
  started.defer(() => plane.value.stop());
  if (broker !== undefined) broker.onEnded = () => plane.value.loseBroker();
  const reached = await openAuthority(
    config,
    env,
    known,
    notify,
    (areHeard) => plane.value.setRevocationsHeard(areHeard),
    () => live?.rulesPaths ?? config.sidecar.mapping.rulesPaths,
  );
  if (!reached.ok) return reached;
  const { authority, check, heard, close: closeAuthority } = reached.value;
  started.defer(closeAuthority);
  authorityIsOpen(authority);
  const ca = await makingCa;
  const base = { authority, plane: plane.value, notify };
  const liveCredentials = new LiveCredentials(credentials, plane.value, broker);
  const mode = { usual, isMonitorAllowed: isAllowed };
  const kept = sessions = new Sessions({
    ...base,
    history: async (sessionId) => {
      const { replaySession } = await import("./replay_session.ts");
      return await replaySession(config.sidecar.audit.filePath, sessionId);
    },
    approvals,
    record,
    mode,
    placeholders: () => liveCredentials.demands,
  });
  const following = new AbortController();
  started.defer(() => following.abort());
  const onRevoked = (tokenIds: readonly string[]) => kept.setRevoked(tokenIds);
  const { signal } = following;
  const begun = await heard(followAuthority({ ...base, check, record, onRevoked, signal }));
  if (!begun.ok) return begun;
  const decisions = DecisionListener.open(
    join(options.runDirectory, "decision.sock"),
    (question) => plane.value.advise(question),
    config.sidecar.interceptor.maxRequestBodySize,
  );
  reportAudit(audit, plane.value, notify);
  const followed = live = LiveConfig.start({
    groundwork,
    plane: plane.value,
    credentials: liveCredentials,
    env,
    isMonitorAllowed: isAllowed,
    notify,
    record,
  });
  started.move();
  return ok({
    groundwork,
    live: followed,
    board,
    ca,
    mode: usual,
    sessions: kept,
    approvals,
    plane: plane.value,
    audit,
    sinks,
    close: async () => {
      following.abort();
      approvals.close();
      await decisions.close();
      await kept.endAll();
      plane.value.stop();
      broker?.close();
      await Promise.all([followed.close(), closeAuthority()]);
      return await audit.close();
    },
  });
}

/** Loaded only where there are secrets: most projects have neither credentials nor stores. */
async function startBroker(
  needs: ConstructorParameters<typeof BrokerKeeper>[0],
  { directory }: FirmaConfig,
  env: Environment,
  notify: Notify,
  identify: (request: IdentityTokenRequest) => Promise<Result<string>>,
): Promise<BrokerKeeper> {
  // Data planes hold what they were handed.
  (await import("../broker/undumpable.ts")).makeUndumpable();
  const { BrokerKeeper } = await import("./credentials/broker_keeper.ts");
  const { withHelperPath } = await import("../broker/helper_path.ts");
  return new BrokerKeeper(needs, withHelperPath(env, dirname(directory)), notify, identify);
}

async function openAudit(
  config: FirmaConfig,
  env: Environment,
  notify: Notify,
): Promise<Result<{ audit: AuditWriter; sinks: readonly ShippingSink[] }>> {
  const opened = await openAuditKey(config.sidecar.audit, env);
  if (!opened.ok) return opened;
  const { filePath: file, redactQueryParams: redactNames, shipping, ...kept } = config.sidecar
    .audit;
  const onTrouble = (error: FirmaError) =>
    notify("error", `Closed files of the audit log: ${errorLine(error)}`);
  let sinks: readonly ShippingSink[] = [];
  // Loaded only where there is somewhere to ship it to.
  if (shipping.kinds.length > 0) {
    const { openSinks } = await import("./open_sinks.ts");
    const shipped = await openSinks(config, { env, notify });
    if (!shipped.ok) return shipped;
    sinks = shipped.value;
  }
  const audit = await AuditWriter.open({
    file,
    redactNames,
    ...kept,
    ...opened.value,
    onTrouble,
    sinks,
  });
  if (audit.ok) return ok({ audit: audit.value, sinks });
  for (const sink of sinks) await sink.close(0);
  return audit;
}

/** Tells the operator once that calls are denied for want of a record, and once that it is over. */
function reportAudit(audit: AuditWriter, plane: DataPlane, notify: Notify): void {
  audit.onChange((state, error) => {
    if (state === "failed") {
      const reason = error === undefined ? "unknown" : errorLine(error);
      notify("error", `The audit log cannot be written, every call is denied: ${reason}`);
    } else {
      const lost = plane.takeLost();
      notify("info", `The audit log can be written again; ${lost} denials are not in it`);
    }
  });
}

function controlTarget(parts: Parts, drain: Drain): ControlTarget {
  const { sessions, plane, audit, sinks, ca, board, groundwork, live, mode, approvals } = parts;
  const startedAt = timestamp();
  return {
    get config() {
      return { file: groundwork.source.file, digest: live.digest };
    },
    approvals,
    certificatePem: ca.certificatePem,
    bundleVersion: () => plane.bundleVersion,
    openSession: async (request) => drain.begun ? err(draining()) : await sessions.open(request),
    endSession: async (sessionId, exitCode) => {
      const ended = await sessions.end(sessionId, exitCode);
      const flushed = await audit.flush();
      return flushed.ok ? ok(ended) : flushed;
    },
    applyConfig: (digest, renewed) => live.reach(digest, renewed, APPLY_LIMIT_MS),
    weighLosses: (question) => plane.weighLosses(question),
    recordFinding: (sessionId, finding) => sessions.recordFinding(sessionId, finding),
    onNotice: (listener) => board.listen(listener),
    sessions: () => sessions.list(),
    status: () =>
      sidecarStatus({
        groundwork,
        digest: live.digest,
        startedAt,
        mode,
        sessions,
        plane,
        audit,
        sinks,
      }),
  };
}

function draining(): FirmaError {
  return {
    code: "SIDECAR_DRAINING",
    message: "Cannot open the session: this Sidecar is about to end",
    cure: "start again when it has",
  };
}
