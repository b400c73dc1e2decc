import { join } from "../core/path.ts";
import { AuditWriter } from "../audit/writer.ts";
import { dataDir, type Environment } from "../config/paths.ts";
import type { FirmaConfig } from "../config/schema.ts";
import type { ExecutionEvent } from "../core/event.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { SessionCa } from "../pki/session_ca.ts";
import { loadOrCreateSigningKey } from "../pki/signing_key.ts";
import { cedarModule } from "../policy/cedar_module.ts";
import { AuditFeed } from "./audit_feed.ts";
import { followAuthority } from "./authority_follower.ts";
import type { ControlTarget } from "./control.ts";
import { DataPlane } from "./data_plane.ts";
import { DecisionListener } from "./decision/listener.ts";
import { watchMapping } from "./mapping_watch.ts";
import { errorLine, type Notify } from "./notices.ts";
import type { Groundwork, SidecarOptions } from "./prepare.ts";
import { openAuthority } from "./open_authority.ts";
import { Sessions } from "./sessions.ts";
import type { MappingSource } from "./worker/messages.ts";

interface Parts {
  readonly audit: AuditWriter;
  readonly ca: SessionCa;
  readonly plane: DataPlane;
  readonly sessions: Sessions;
  readonly close: () => Promise<Result<void>>;
}

/** A Sidecar, as one run has it. */
export class Sidecar {
  readonly controlSocket: string;
  /** What can be asked of it, at the control socket and by whoever started it. */
  readonly control: ControlTarget;
  readonly #parts: Parts;
  readonly #server: Deno.HttpServer<Deno.UnixAddr>;

  private constructor(parts: Parts, controlSocket: string) {
    this.#parts = parts;
    this.controlSocket = controlSocket;
    this.control = controlTarget(parts);
    this.#server = serveControl(this.control, controlSocket);
  }

  /** Starts everything; when one part cannot start, what is wrong with it comes back. */
  static async start(
    groundwork: Groundwork,
    options: SidecarOptions,
  ): Promise<Result<Sidecar, readonly FirmaError[]>> {
    const controlSocket = join(options.runDirectory, "control.sock");
    try {
      const parts = await assemble(groundwork, options);
      if (!parts.ok) return parts;
      const sidecar = new Sidecar(parts.value, controlSocket);
      await Deno.chmod(controlSocket, 0o600);
      await giveUpPermissions();
      return ok(sidecar);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      return err([{
        code: "SIDECAR_START_FAILED",
        message: `Cannot start the Sidecar in "${options.runDirectory}": ${reason}`,
        cause,
      }]);
    }
  }

  /** Ends every session, writes what is left to the audit log, and closes everything. */
  async close(): Promise<Result<void>> {
    await this.#server.shutdown();
    return await this.#parts.close();
  }
}

/** Starts the parts; stops those that have started when another cannot. */
async function assemble(
  groundwork: Groundwork,
  options: SidecarOptions,
): Promise<Result<Parts, readonly FirmaError[]>> {
  await using started = new AsyncDisposableStack();
  const { env, notify } = options;
  const { config, known, mapping, sockets, spare } = groundwork;
  started.defer(() => spare?.end());
  // Both keep other threads busy, so that they come first.
  const loadingCedar = cedarModule();
  const makingCa = SessionCa.create();
  for (const begun of [loadingCedar, makingCa]) begun.catch(() => {}); // told where it is awaited
  const audit = await openAudit(config, env);
  if (!audit.ok) return err([audit.error]);
  started.defer(async () => void await audit.value.close());
  const feed = new AuditFeed(audit.value);
  const plane = await DataPlane.start({
    config: groundwork.worker,
    mapping,
    known,
    sockets,
    spare,
    cedar: loadingCedar,
    audit: feed,
    leaf: async (host) => await (await makingCa).leaf(host),
    notify,
  });
  if (!plane.ok) return plane;
  started.defer(() => plane.value.stop());
  const opened = await openAuthority(config, known, notify);
  if (!opened.ok) return opened;
  const { authority, check, heard, close: closeAuthority } = opened.value;
  started.defer(closeAuthority);
  const ca = await makingCa;
  const base = { authority, plane: plane.value, notify };
  const record = (event: ExecutionEvent) => feed.append(event);
  const sessions = new Sessions({ ...base, record });
  const following = new AbortController();
  started.defer(() => following.abort());
  const onRevoked = (tokenIds: readonly string[]) => sessions.setRevoked(tokenIds);
  const { signal } = following;
  const begun = await heard(followAuthority({ ...base, check, record, onRevoked, signal }));
  if (!begun.ok) return begun;
  const decisions = DecisionListener.open(
    join(options.runDirectory, "decision.sock"),
    (question) => plane.value.advise(question),
    config.sidecar.interceptor.maxRequestBodySize,
  );
  reportAudit(audit.value, plane.value, notify);
  const watch = watchMapping(config.sidecar.mapping.rulesPaths, mapping, (changed) => {
    applyMapping(changed, plane.value, notify);
  });
  started.move();
  return ok({
    ca,
    sessions,
    plane: plane.value,
    audit: audit.value,
    close: async () => {
      following.abort();
      await decisions.close();
      await sessions.endAll();
      plane.value.stop();
      await Promise.all([watch.close(), closeAuthority()]);
      return await audit.value.close();
    },
  });
}

async function openAudit(
  config: FirmaConfig,
  env: Environment,
): Promise<Result<AuditWriter>> {
  const key = await loadOrCreateSigningKey(join(dataDir(env), "keys/audit.key"));
  if (!key.ok) return key;
  return await AuditWriter.open({ file: config.sidecar.audit.filePath, key: key.value });
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

function applyMapping(
  changed: Result<readonly MappingSource[], FirmaError[]>,
  plane: DataPlane,
  notify: Notify,
): void {
  const applied = changed.ok ? plane.setMapping(changed.value) : changed;
  if (applied.ok) return notify("info", `Mapping with ${plane.rules} rules is in force`);
  for (const error of applied.error) {
    notify("error", `The edit of a mapping is refused: ${errorLine(error)}`);
  }
}

/** Serves the control API, which is loaded at the first request: a run of its own has none. */
function serveControl(target: ControlTarget, path: string): Deno.HttpServer<Deno.UnixAddr> {
  let api: Promise<{ fetch(request: Request): Response | Promise<Response> }> | undefined;
  return Deno.serve({ path, onListen: () => {} }, async (request) => {
    api ??= import("./control.ts").then(({ controlApi }) => controlApi(target));
    return (await api).fetch(request);
  });
}

function controlTarget({ sessions, plane, audit, ca }: Parts): ControlTarget {
  return {
    certificatePem: ca.certificatePem,
    bundleVersion: () => plane.bundleVersion,
    openSession: (request) => sessions.open(request),
    endSession: async (sessionId, exitCode) => {
      const ended = await sessions.end(sessionId, exitCode);
      const flushed = await audit.flush();
      return flushed.ok ? ok(ended) : flushed;
    },
    status: () => ({
      sessions: sessions.size,
      open_calls: plane.openCalls,
      mapping_rules: plane.rules,
      policy_bundle_version: plane.bundleVersion,
      audit: audit.state,
    }),
  };
}

/** What only starting needed. Whatever goes wrong later cannot start a program or load a library. */
async function giveUpPermissions(): Promise<void> {
  for (const name of ["run", "ffi", "sys"] as const) await Deno.permissions.revoke({ name });
}
