import type { Authority } from "../core/authority.ts";
import type { CapabilityClaims } from "../core/capability.ts";
import type { ExecutionEvent, SandboxFinding } from "../core/event.ts";
import { newId } from "../core/id.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import type { SessionState } from "../core/session_state.ts";
import { timestamp } from "../core/timestamp.ts";
import type { DataPlane } from "./data_plane.ts";
import { effectiveMode, type Mode } from "./monitor_mode.ts";
import type { Notify } from "./notices.ts";
import { eventBase } from "./pipeline/record.ts";
import {
  type MintedPlaceholders,
  mintPlaceholders,
  type PlaceholderDemand,
} from "../secrets/placeholder.ts";
import { createProxyAccess } from "./proxy_access.ts";
import { readSessionSeed } from "./session_seed.ts";
import { obtainToken } from "./session_token.ts";
import { TokenKeeper } from "./token_keeper.ts";

/** Who asks for a session. */
export interface SessionRequest {
  readonly sandboxId: string;
  /** `agt_…`, or a name that the Authority's registry knows. */
  readonly agent: string;
  readonly profile: string;
  /** Program name and argument count; the arguments themselves stay out of the log. */
  readonly command: string;
  readonly workspace: string;
  /** A seed file with the token of the session: the Authority is asked for none. Absolute. */
  readonly capabilityFile?: string;
  /** @default {that of the Sidecar} */
  readonly mode?: Mode;
  /**
   * How the agent gets in: over a socket that a sandbox mounts, or by the proxy.
   * @default {"unix_socket"}
   */
  readonly interceptor?: "unix_socket" | "http_proxy";
}

/** A session that was opened. */
export interface OpenedSession {
  readonly sessionId: string;
  readonly agentId: string;
  readonly tokenId: string;
  readonly mode: Mode;
  /** Variables and files of the agent that hold placeholders. */
  readonly environment: MintedPlaceholders["environment"];
  readonly signIns: MintedPlaceholders["signIns"];
  /** The way in, unless it is the proxy. */
  readonly proxySocket: string | undefined;
  /** The way in by the proxy: holds the session's password, which is told here and never again. */
  readonly proxyUrl: string | undefined;
}

/** What keeping sessions needs. */
export interface SessionsOptions {
  readonly authority: Authority;
  readonly plane: DataPlane;
  /** What a session had done before that begins again. @default nothing */
  readonly history?: (sessionId: string) => Promise<SessionState>;
  /** Hears of each session that ends. */
  readonly approvals: { endSession(sessionId: string): void };
  /** Appends to the audit log; `false` when it does not take the event. */
  readonly record: (event: ExecutionEvent) => boolean;
  readonly notify: Notify;
  /** The credentials that agents get placeholders of, as it is now. @default {none} */
  readonly placeholders?: () => readonly PlaceholderDemand[];
  /** The mode of sessions that ask for none, and whether `monitor` is one here. */
  readonly mode: { readonly usual: Mode; readonly isMonitorAllowed: boolean };
}

/** A session as it is now. */
export interface SessionStatus {
  readonly sessionId: string;
  readonly agentId: string;
  readonly request: SessionRequest;
  readonly mode: Mode;
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
  readonly agentId: string;
  readonly request: SessionRequest;
  readonly mode: Mode;
  readonly startedAt: string;
  /** Every token that it ever held. */
  readonly tokenIds: string[];
  tokenExpiresAt: string;
  readonly keeper: TokenKeeper;
}

/** The sessions of a Sidecar: registration, tokens, end. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #sessions = new Map<string, Session>();
  /** Being opened: a capability file may be brought by two at once. */
  readonly #opening = new Set<string>();
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
    return [...this.#sessions.values()].map(({ tokenIds, keeper: _, ...session }) => {
      const { actionCount, denyCount } = this.#options.plane.sessionState(session.sessionId);
      return { ...session, tokenId: tokenIds.at(-1)!, actionCount, denyCount };
    });
  }

  /** Obtains a capability, records the session and opens its way in. */
  async open(request: SessionRequest): Promise<Result<OpenedSession>> {
    const claims = await this.#firstToken(request);
    if (!claims.ok) return claims;
    const { session_id: sessionId } = claims.value;
    if (this.#sessions.has(sessionId) || this.#opening.has(sessionId)) {
      return err(alreadyOpen(sessionId));
    }
    this.#opening.add(sessionId);
    try {
      return await this.#open(request, claims.value);
    } finally {
      this.#opening.delete(sessionId);
    }
  }

  async #open(request: SessionRequest, claims: CapabilityClaims): Promise<Result<OpenedSession>> {
    const { session_id: sessionId, agent_id: agentId, token_id: tokenId } = claims;
    const state = await this.#stateBefore(request, sessionId);
    if (!state.ok) return state;
    const mode = this.#modeOf(request, sessionId);
    const session = this.#newSession(request, claims, mode);
    if (!this.#record(session, "started")) return err(unrecordable());
    this.#sessions.set(sessionId, session);
    const { sandboxId } = request;
    const access = request.interceptor === "http_proxy"
      ? createProxyAccess({ sessionId, sandboxId })
      : undefined;
    const { placeholders, ...held } = mintPlaceholders(this.#options.placeholders?.() ?? []);
    const opened = await this.#options.plane.openSession(
      {
        sessionId,
        sandboxId,
        agentId,
        startedMs: Date.now(),
        claims: [claims],
        observed: mode === "monitor",
        placeholders,
      },
      access?.secret,
      state.value,
    );
    if (!opened.ok) {
      this.#sessions.delete(sessionId);
      this.#record(session, "ended");
      return opened;
    }
    await session.keeper.start(claims);
    const { socket: proxySocket, proxy } = opened.value;
    const proxyUrl = proxy && access?.url(proxy);
    return ok({ sessionId, agentId, tokenId, mode, ...held, proxySocket, proxyUrl });
  }

  /** Ends a session: every open call of it is closed. `false` when there is none. */
  async end(sessionId: string, exitCode: number | undefined): Promise<boolean> {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return false;
    this.#sessions.delete(sessionId);
    // Calls that are held for a person are answered while their session is there.
    this.#options.approvals.endSession(sessionId);
    await session.keeper.stop();
    await this.#options.plane.closeSession(sessionId);
    // The last calls may have asked for something since.
    this.#options.approvals.endSession(sessionId);
    this.#record(session, "ended", exitCode);
    return true;
  }

  /** Puts on record what the sandbox of a session says. `false` when there is no such session. */
  recordFinding(sessionId: string, finding: SandboxFinding): boolean {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return false;
    const { agentId, request: { sandboxId } } = session;
    this.#options.record({
      ...eventBase({ sandboxId, sessionId, agentId }),
      kind: "sandbox",
      ...finding,
    });
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

  async #firstToken({ agent, capabilityFile }: SessionRequest): Promise<Result<CapabilityClaims>> {
    const { authority } = this.#options;
    if (capabilityFile === undefined) {
      return await obtainToken(authority, { agent, sessionId: newId("ses") });
    }
    const publicKey = await authority.publicKey();
    return await readSessionSeed(capabilityFile, publicKey, { agentId: agent });
  }

  /** Only a token that was issued beforehand can bring the name of a session that there was. */
  async #stateBefore(
    { capabilityFile }: SessionRequest,
    sessionId: string,
  ): Promise<Result<SessionState | undefined>> {
    const { history } = this.#options;
    if (capabilityFile === undefined || history === undefined) return ok(undefined);
    try {
      return ok(await history(sessionId));
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      return err({
        code: "SESSION_HISTORY",
        message: `Cannot open the session: what it did before cannot be read: ${reason}`,
        cure: "firma audit verify says what is wrong with the log",
        cause,
      });
    }
  }

  #modeOf({ mode: wanted }: SessionRequest, sessionId: string): Mode {
    const { mode, notify } = this.#options;
    return effectiveMode(wanted ?? mode.usual, mode.isMonitorAllowed, notify, sessionId);
  }

  #newSession(request: SessionRequest, claims: CapabilityClaims, mode: Mode): Session {
    const { authority, notify, plane } = this.#options;
    const { session_id: sessionId, agent_id: agentId } = claims;
    const { capabilityFile } = request;
    const session: Session = {
      sessionId,
      agentId,
      request,
      mode,
      startedAt: timestamp(),
      tokenIds: [claims.token_id],
      tokenExpiresAt: claims.expiry,
      keeper: new TokenKeeper({
        sessionId,
        agentId,
        capabilityFile,
        authority,
        notify,
        isRevoked: () => this.#isRevoked(session),
        renewed: (claims) => {
          session.tokenIds.push(claims.token_id);
          session.tokenExpiresAt = claims.expiry;
          // It may be revoked, or of a session that is.
          if (this.#isRevoked(session)) this.setRevoked(this.#revoked);
          plane.setClaims(sessionId, [claims]);
        },
      }),
    };
    return session;
  }

  #record(
    { sessionId, agentId, mode, request }: Session,
    phase: "started" | "ended",
    exitCode?: number,
  ): boolean {
    const { sandboxId, profile, command, workspace } = request;
    return this.#options.record({
      ...eventBase({ sandboxId, sessionId, agentId }),
      kind: "session",
      phase,
      profile,
      command,
      workspace,
      ...(mode === "monitor" && { mode }),
      ...(exitCode !== undefined && { exit_code: exitCode }),
    });
  }
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
