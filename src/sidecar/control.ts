import { Hono } from "hono";
import type { SandboxFinding } from "../core/event.ts";
import type { FirmaError } from "../core/result.ts";
import { PROBLEM_TYPE } from "../core/problem.ts";
import { err, type Result } from "../core/result.ts";
import { addApprovalRoutes, type ApprovalControl } from "./control_approvals.ts";
import { addConfigRoute, type ConfigControl } from "./control_config.ts";
import { readJson } from "./control_body.ts";
import type { LossQuestion, LossVerdict } from "./losses/question.ts";
import type { Notify } from "./notices.ts";
import { Registrations } from "./registrations.ts";
import {
  invalidRequest,
  parseEndBody,
  parseFindingBody,
  parseLossBody,
  parseSessionBody,
} from "./session_body.ts";
import type { OpenedSession, SessionRequest, SessionStatus } from "./sessions.ts";

/** What the control API acts on. */
export interface ControlTarget extends ConfigControl {
  openSession(request: SessionRequest): Promise<Result<OpenedSession>>;
  /** `false` when there is no such session. Returns once its events are in the log. */
  endSession(sessionId: string, exitCode: number | undefined): Promise<Result<boolean>>;
  /** Puts on record what the sandbox of a session says. `false` when there is no such session. */
  recordFinding(sessionId: string, finding: SandboxFinding): boolean;
  /** What is to become of an agent whose workspace lost files. */
  weighLosses(question: LossQuestion): Promise<LossVerdict>;
  status(): Readonly<Record<string, unknown>>;
  sessions(): readonly SessionStatus[];
  /** Has a listener hear what an operator should know; returns how to stop that. */
  onNotice(listener: Notify): () => void;
  readonly approvals: ApprovalControl;
  readonly certificatePem: string;
  readonly bundleVersion: () => string;
  /** The `firma.toml` that is served, and the digest that it had. */
  readonly config: { readonly file: string; readonly digest: string | undefined };
}

/** The control API of one Sidecar. */
export interface ControlApi {
  fetch(request: Request): Response | Promise<Response>;
  /** Ends the streams of all sessions; their sessions are for the caller to end. */
  close(): void;
}

/** JSON lines. */
const LINES_TYPE = "application/x-ndjson";

/** How failures that have a status of their own are answered; all others with 503. */
const STATUSES: Readonly<Record<string, number>> = {
  APPROVAL_DECIDED: 409,
  APPROVAL_EXPIRED: 410,
  APPROVAL_REVOKED: 410,
  APPROVAL_USED: 410,
  APPROVER_UNKNOWN: 403,
  BODY_TOO_LARGE: 413,
  CONFIG_CHANGED: 409,
  CONFIG_UNTRUSTED: 409,
  CONFIG_WAITS: 409,
  INVALID_REQUEST: 400,
  NO_APPROVAL: 404,
  NO_PROXY: 409,
  OTHER_CONFIG: 409,
};

/**
 * The control API. Who reaches its socket (mode 0600, in a directory of mode
 * 0700 that no sandbox sees) is the operator; there is no other authentication.
 */
export function controlApi(target: ControlTarget): ControlApi {
  const app = new Hono();
  const registrations = new Registrations({
    openSession: (request) => target.openSession(request),
    endSession: (sessionId) => target.endSession(sessionId, undefined),
    describe: (opened) => describe(opened, target),
  });
  const deaf = target.onNotice(registrations.tell);

  app.post("/v1/sessions", async (context) => {
    const body = await readJson(context.req.raw);
    const request = body.ok ? parseRegistration(body.value, target.config) : body;
    if (!request.ok) return refused(request.error);
    if (request.value.interceptor === "http_proxy") {
      // Whoever asked may be gone before the agent comes: it lasts until somebody ends it.
      const opened = await target.openSession(request.value);
      return opened.ok ? context.json(describe(opened.value, target), 201) : refused(opened.error);
    }
    const stream = await registrations.open(request.value);
    if (!stream.ok) return refused(stream.error);
    return new Response(stream.value, { status: 201, headers: { "content-type": LINES_TYPE } });
  });

  app.post("/v1/sessions/:id/end", async (context) => {
    const body = await readJson(context.req.raw);
    const exitCode = body.ok ? parseEndBody(body.value) : body;
    if (!exitCode.ok) return refused(exitCode.error);
    const id = context.req.param("id");
    const ended = await target.endSession(id, exitCode.value);
    if (!ended.ok) return refused(ended.error);
    registrations.close(id);
    if (ended.value) return context.body(null, 204);
    return problem(404, { code: "NO_SESSION", message: `Cannot end session "${id}": not found` });
  });

  app.post("/v1/sessions/:id/findings", async (context) => {
    const body = await readJson(context.req.raw);
    const finding = body.ok ? parseFindingBody(body.value) : body;
    if (!finding.ok) return refused(finding.error);
    const id = context.req.param("id");
    if (target.recordFinding(id, finding.value)) return context.body(null, 204);
    return problem(404, { code: "NO_SESSION", message: `Cannot record for "${id}": not found` });
  });

  app.post("/v1/sessions/:id/losses", async (context) => {
    const body = await readJson(context.req.raw);
    const losses = body.ok ? parseLossBody(body.value) : body;
    if (!losses.ok) return refused(losses.error);
    const sessionId = context.req.param("id");
    return context.json(await target.weighLosses({ sessionId, ...losses.value }));
  });

  app.get("/v1/sessions", (context) => {
    return context.json({ sessions: target.sessions().map(sessionRow) });
  });

  addConfigRoute(app, target, refused);
  addApprovalRoutes(app, target.approvals, refused);

  app.get("/v1/status", (context) => context.json(target.status()));

  app.notFound(() => problem(404, { code: "NOT_FOUND", message: "Cannot serve this path" }));
  app.onError((error) => problem(500, { code: "INTERNAL", message: error.message, cause: error }));
  return {
    fetch: (request) => app.fetch(request),
    close() {
      deaf();
      registrations.closeAll();
    },
  };
}

/** What asks for a session, from somebody who means the configuration that is served here. */
function parseRegistration(
  body: unknown,
  config: ControlTarget["config"],
): Result<SessionRequest> {
  if (typeof body !== "object" || body === null) return invalidRequest("it is not an object");
  const { config_file, config_digest, ...session } = body as Record<string, unknown>;
  if (config_file === undefined && config_digest === undefined) return parseSessionBody(session);
  if (config_file === config.file && config_digest === config.digest) {
    return parseSessionBody(session);
  }
  return err({
    code: "OTHER_CONFIG",
    message: `Cannot open the session: this Sidecar serves "${config.file}" as it was when it ` +
      "started, and that is not what was asked for",
    cure: "firma sidecar stop, then: firma sidecar start --detach",
  });
}

function describe(opened: OpenedSession, target: ControlTarget) {
  const { sessionId, agentId, proxySocket, proxyUrl, tokenId, mode } = opened;
  const { environment, signIns } = opened;
  return {
    type: "session",
    session_id: sessionId,
    agent_id: agentId,
    mode,
    proxy_socket: proxySocket,
    proxy_url: proxyUrl,
    environment,
    sign_ins: signIns,
    ca_certificate: target.certificatePem,
    token_id: tokenId,
    policy_bundle_version: target.bundleVersion(),
  };
}

/** A session as the API shows it. */
export function sessionRow(session: SessionStatus): Readonly<Record<string, unknown>> {
  const { sandboxId, profile, command, workspace, interceptor } = session.request;
  return {
    session_id: session.sessionId,
    sandbox_id: sandboxId,
    agent_id: session.agentId,
    mode: session.mode,
    interceptor: interceptor ?? "unix_socket",
    profile,
    command,
    workspace,
    started_at: session.startedAt,
    token_id: session.tokenId,
    token_expires_at: session.tokenExpiresAt,
    action_count: session.actionCount,
    deny_count: session.denyCount,
  };
}

function refused(error: FirmaError): Response {
  return problem(Object.hasOwn(STATUSES, error.code) ? STATUSES[error.code]! : 503, error);
}

function problem(status: number, { code, message, cure }: FirmaError): Response {
  const body = { type: "about:blank", status, code, detail: message, cure };
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": PROBLEM_TYPE },
  });
}
