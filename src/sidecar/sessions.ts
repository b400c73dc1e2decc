import { actionClasses } from "../core/action_class.ts";
import type { Authority } from "../core/authority.ts";
import type { CapabilityClaims } from "../core/capability.ts";
import type { ExecutionEvent } from "../core/event.ts";
import { newId } from "../core/id.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { parseTimestamp, timestamp } from "../core/timestamp.ts";
import { backoffMs } from "../authority/client/backoff.ts";
import type { FileWatch } from "../authority/file_watch.ts";
import { verifyToken } from "../capability/token.ts";
import type { DataPlane } from "./data_plane.ts";
import { errorLine, type Notify } from "./notices.ts";
import { eventBase } from "./pipeline/record.ts";
import { readSessionSeed } from "./session_seed.ts";

/** Who asks for a session. */
export interface SessionRequest {
  readonly sandboxId: string;
  readonly agentId: string;
  readonly profile: string;
  /** Program name and argument count; the arguments themselves stay out of the log. */
  readonly command: string;
  readonly workspace: string;
  /** A seed file with the token of the session: the Authority is asked for none. Absolute. */
  readonly capabilityFile?: string;
}

/** A session that was opened. */
export interface OpenedSession {
  readonly sessionId: string;
  readonly proxySocket: string;
  readonly tokenId: string;
}

/** What keeping sessions needs. */
export interface SessionsOptions {
  readonly authority: Authority;
  readonly plane: DataPlane;
  /** Appends to the audit log; `false` when it does not take the event. */
  readonly record: (event: ExecutionEvent) => boolean;
  readonly notify: Notify;
}

/** A session as it is now. */
export interface SessionStatus {
  readonly sessionId: string;
  readonly request: SessionRequest;
  /** RFC 3339. */
  readonly startedAt: string;
  readonly tokenId: string;
  /** RFC 3339. */
  readonly tokenExpiresAt: string;
  readonly actionCount: number;
  readonly denyCount: number;
}

interface Session {
  readonly sessionId: string;
  readonly request: SessionRequest;
  readonly startedAt: string;
  /** Every token that it ever held. */
  readonly tokenIds: string[];
  tokenExpiresAt: string;
  /** Renewals that failed since the last one that did not. */
  failures: number;
  timer: ReturnType<typeof setTimeout> | undefined;
  seedWatch: FileWatch | undefined;
}

/** A token is replaced after this part of its life. */
const REFRESH_RATIO = 0.6;
const REFRESH_RETRIES = { minBackoffMs: 1_000, maxBackoffMs: 30_000 };
/** `setTimeout` takes no longer wait. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The sessions of a Sidecar: registration, tokens and their renewal, end. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #sessions = new Map<string, Session>();
  #revoked: readonly string[] = [];

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /** Number of open sessions. */
  get size(): number {
    return this.#sessions.size;
  }

  /** Every open session, the oldest first. */
  list(): SessionStatus[] {
    return [...this.#sessions.values()].map((session) => {
      const { sessionId, request, startedAt, tokenIds, tokenExpiresAt } = session;
      const { actionCount, denyCount } = this.#options.plane.sessionState(sessionId);
      const tokenId = tokenIds.at(-1)!;
      return { sessionId, request, startedAt, tokenId, tokenExpiresAt, actionCount, denyCount };
    });
  }

  /** Obtains a capability, records the session and opens its socket. */
  async open(request: SessionRequest): Promise<Result<OpenedSession>> {
    const claims = await this.#firstToken(request);
    if (!claims.ok) return claims;
    const { session_id: sessionId } = claims.value;
    if (this.#sessions.has(sessionId)) return err(alreadyOpen(sessionId));
    const session: Session = {
      sessionId,
      request,
      startedAt: timestamp(),
      tokenIds: [claims.value.token_id],
      tokenExpiresAt: claims.value.expiry,
      failures: 0,
      timer: undefined,
      seedWatch: undefined,
    };
    if (!this.#record(session, "started")) return err(unrecordable());
    this.#sessions.set(sessionId, session);
    const opened = await this.#options.plane.openSession({
      sessionId,
      sandboxId: request.sandboxId,
      agentId: request.agentId,
      startedMs: Date.now(),
      claims: [claims.value],
    });
    if (!opened.ok) {
      this.#sessions.delete(sessionId);
      this.#record(session, "ended");
      return opened;
    }
    await this.#keepCapable(session, claims.value);
    return ok({ sessionId, proxySocket: opened.value, tokenId: claims.value.token_id });
  }

  /** Ends a session: every open call of it is closed. `false` when there is none. */
  async end(sessionId: string, exitCode: number | undefined): Promise<boolean> {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return false;
    this.#sessions.delete(sessionId);
    clearTimeout(session.timer);
    await session.seedWatch?.close();
    await this.#options.plane.closeSession(sessionId);
    this.#record(session, "ended", exitCode);
    return true;
  }

  /** Ends every session. */
  async endAll(): Promise<void> {
    await Promise.all([...this.#sessions.keys()].map((id) => this.end(id, undefined)));
  }

  /**
   * Takes a whole revocation list. A session of which any token was ever revoked
   * has lost its present one too: who read the token's name in the log meant the
   * session, and must not have to hurry before it is renewed.
   */
  setRevoked(tokenIds: readonly string[]): void {
    this.#revoked = tokenIds;
    const revoked = new Set(tokenIds);
    for (const session of this.#sessions.values()) {
      if (this.#isRevoked(session)) session.tokenIds.forEach((id) => revoked.add(id));
    }
    this.#options.plane.setRevoked([...revoked]);
  }

  #isRevoked({ tokenIds }: Session): boolean {
    return tokenIds.some((id) => this.#revoked.includes(id));
  }

  /** Asks for a token with everything that the Authority grants, and verifies it once. */
  async #obtain(sessionId: string, agentId: string): Promise<Result<CapabilityClaims>> {
    const { authority } = this.#options;
    try {
      const answer = await authority.issueCapability({
        agentId,
        sessionId,
        requestedActions: actionClasses().map(({ name }) => name),
        resourceScope: ["**"],
        requestedTtlSeconds: 0,
      });
      if (!answer.granted) return err(denied(answer.denyReason, answer.denyMessage, agentId));
      const claims = await verifyToken(answer.token, await authority.publicKey());
      if (!claims.ok) return claims;
      const { agent_id, session_id } = claims.value;
      if (agent_id === agentId && session_id === sessionId) return claims;
      return err({
        code: "TOKEN_INVALID",
        message: "Cannot use the capability token: it was issued for another session",
      });
    } catch (cause) {
      return err({
        code: "AUTHORITY_UNAVAILABLE",
        message: `Cannot obtain a capability: ${cause instanceof Error ? cause.message : cause}`,
        cause,
      });
    }
  }

  async #firstToken(
    { agentId, capabilityFile }: SessionRequest,
  ): Promise<Result<CapabilityClaims>> {
    if (capabilityFile === undefined) return await this.#obtain(newId("ses"), agentId);
    const publicKey = await this.#options.authority.publicKey();
    return await readSessionSeed(capabilityFile, publicKey, { agentId });
  }

  /** Sees to it that the session has a token as long as it may have one. */
  async #keepCapable(session: Session, claims: CapabilityClaims): Promise<void> {
    const { capabilityFile } = session.request;
    if (capabilityFile === undefined) return this.#scheduleRefresh(session, claims);
    const { FileWatch } = await import("../authority/file_watch.ts");
    // Whoever issued it beforehand meant it to end; a new one takes its place in the file.
    session.seedWatch = FileWatch.start([capabilityFile], () => this.#reseed(session));
  }

  async #reseed(session: Session): Promise<void> {
    const { sessionId, tokenIds, request } = session;
    const { agentId, capabilityFile } = request;
    const publicKey = await this.#options.authority.publicKey();
    const claims = await readSessionSeed(capabilityFile!, publicKey, { agentId, sessionId });
    if (!this.#sessions.has(sessionId)) return;
    if (!claims.ok) {
      const reason = errorLine(claims.error);
      const text = `The capability of ${sessionId} stays: ${reason}`;
      return this.#options.notify("warn", text, sessionId);
    }
    tokenIds.push(claims.value.token_id);
    session.tokenExpiresAt = claims.value.expiry;
    // It may be revoked, or of a session that is.
    this.setRevoked(this.#revoked);
    this.#options.plane.setClaims(sessionId, [claims.value]);
  }

  #scheduleRefresh(session: Session, { issued_at, expiry }: CapabilityClaims): void {
    const until = parseTimestamp(expiry) ?? 0;
    // Where the clocks differ, whichever of them leaves less time.
    const left = Math.min(until - (parseTimestamp(issued_at) ?? 0), until - Date.now());
    this.#armRefresh(session, Math.max(left * REFRESH_RATIO, 0));
  }

  #armRefresh(session: Session, waitMs: number): void {
    const wait = Math.min(waitMs, LONGEST_TIMER_MS);
    session.timer = setTimeout(() => this.#refresh(session), wait);
    // A renewal that is due must not keep a Sidecar alive that is ending.
    Deno.unrefTimer(Number(session.timer));
  }

  async #refresh(session: Session): Promise<void> {
    const { sessionId, request } = session;
    if (this.#isRevoked(session)) return;
    const claims = await this.#obtain(sessionId, request.agentId);
    if (!this.#sessions.has(sessionId) || this.#isRevoked(session)) return;
    if (!claims.ok) {
      const reason = errorLine(claims.error);
      if (session.failures++ === 0) {
        const text = `The capability of ${sessionId} is not renewed: ${reason}`;
        this.#options.notify("warn", text, sessionId);
      }
      return this.#armRefresh(session, backoffMs(session.failures, REFRESH_RETRIES));
    }
    session.failures = 0;
    session.tokenIds.push(claims.value.token_id);
    session.tokenExpiresAt = claims.value.expiry;
    this.#options.plane.setClaims(sessionId, [claims.value]);
    this.#scheduleRefresh(session, claims.value);
  }

  #record({ sessionId, request }: Session, phase: "started" | "ended", exitCode?: number): boolean {
    const { sandboxId, agentId, profile, command, workspace } = request;
    return this.#options.record({
      ...eventBase({ sandboxId, sessionId, agentId }),
      kind: "session",
      phase,
      profile,
      command,
      workspace,
      ...(exitCode !== undefined && { exit_code: exitCode }),
    });
  }
}

/** What helps against the reasons of a refusal that have nothing to do with policy. */
const CURES: Readonly<Record<string, (agentId: string) => string>> = {
  AGENT_NOT_REGISTERED: (id) =>
    `where the Authority runs: firma authority agents add NAME --id ${id}`,
  AGENT_NOT_PERMITTED: (id) => `name ${id} in the entry of this client in authorized_clients_path`,
  AUTHORITY_UNAVAILABLE: () => "start the Authority, or look at its output",
  INVALID_REQUEST: () => "declare the same [[action_classes]] here and where the Authority runs",
};

function denied(reason: string, message: string, agentId: string): FirmaError {
  const cure = Object.hasOwn(CURES, reason) ? CURES[reason]!(agentId) : undefined;
  return {
    code: "CAPABILITY_DENIED",
    message: `Cannot obtain a capability: ${message} (${reason})`,
    cure: cure ?? "permit at least one action in the issuance policy",
  };
}

function alreadyOpen(sessionId: string): FirmaError {
  return {
    code: "SESSION_OPEN",
    message: `Cannot open session "${sessionId}": it is open already`,
    cure: "a capability file serves one run at a time",
  };
}

function unrecordable(): FirmaError {
  return {
    code: "AUDIT_UNAVAILABLE",
    message: "Cannot open the session: the audit log does not take its record",
    cure: "make the audit log writable and free disk space",
  };
}
