import { after } from "../core/after.ts";
import type { Authority } from "../core/authority.ts";
import type { CapabilityClaims } from "../core/capability.ts";
import { parseTimestamp } from "../core/timestamp.ts";
import { backoffMs } from "../core/backoff.ts";
import type { FileWatch } from "../authority/file_watch.ts";
import { errorLine, type Notify } from "./notices.ts";
import { readSessionSeed } from "./session_seed.ts";
import { obtainToken } from "./session_token.ts";

/** What keeping one session capable needs. */
export interface TokenKeeperOptions {
  readonly sessionId: string;
  readonly agentId: string;
  /** Where its tokens come from; otherwise the Authority is asked. */
  readonly capabilityFile: string | undefined;
  readonly authority: Authority;
  readonly notify: Notify;
  /** A session that lost a token to a revocation gets no other. */
  readonly isRevoked: () => boolean;
  /** Takes a token that replaces the one before. */
  readonly renewed: (claims: CapabilityClaims) => void;
}

/** A token is replaced after this part of its life. */
const REFRESH_RATIO = 0.6;
const REFRESH_RETRIES = { minBackoffMs: 1_000, maxBackoffMs: 30_000 };
/** Timers take no longer wait. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Sees to it that a session has a token as long as it may have one. */
export class TokenKeeper {
  readonly #options: TokenKeeperOptions;
  /** Renewals that failed since the last one that did not. */
  #failures = 0;
  /** Calls off the next renewal. */
  #callOff: (() => void) | undefined;
  #seedWatch: FileWatch | undefined;
  #stopped = false;

  constructor(options: TokenKeeperOptions) {
    this.#options = options;
  }

  /** Begins with the first token. */
  async start(claims: CapabilityClaims): Promise<void> {
    const { capabilityFile } = this.#options;
    if (capabilityFile === undefined) return this.#schedule(claims);
    const { FileWatch } = await import("../authority/file_watch.ts");
    if (this.#stopped) return;
    // Whoever issued it beforehand meant it to end; a new one takes its place in the file.
    this.#seedWatch = FileWatch.start([capabilityFile], () => this.#reseed(capabilityFile));
  }

  /** Renews no more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#callOff?.();
    await this.#seedWatch?.close();
  }

  async #reseed(file: string): Promise<void> {
    const { sessionId, agentId, authority, notify, renewed } = this.#options;
    const publicKey = await authority.publicKey();
    const claims = await readSessionSeed(file, publicKey, { agentId, sessionId });
    if (this.#stopped) return;
    if (claims.ok) return renewed(claims.value);
    const text = `The capability of ${sessionId} stays: ${errorLine(claims.error)}`;
    notify("warn", text, sessionId);
  }

  #schedule({ issued_at, expiry }: CapabilityClaims): void {
    const until = parseTimestamp(expiry) ?? 0;
    // Where the clocks differ, whichever of them leaves less time.
    const left = Math.min(until - (parseTimestamp(issued_at) ?? 0), until - Date.now());
    this.#arm(Math.max(left * REFRESH_RATIO, 0));
  }

  #arm(waitMs: number): void {
    if (this.#stopped) return;
    this.#callOff = after(Math.min(waitMs, LONGEST_TIMER_MS), () => void this.#refresh());
  }

  async #refresh(): Promise<void> {
    const { sessionId, agentId, authority, notify, isRevoked, renewed } = this.#options;
    if (isRevoked()) return;
    const claims = await obtainToken(authority, { agent: agentId, sessionId });
    if (this.#stopped || isRevoked()) return;
    if (!claims.ok) {
      if (this.#failures++ === 0) {
        const text = `The capability of ${sessionId} is not renewed: ${errorLine(claims.error)}`;
        notify("warn", text, sessionId);
      }
      return this.#arm(backoffMs(this.#failures, REFRESH_RETRIES));
    }
    this.#failures = 0;
    renewed(claims.value);
    this.#schedule(claims.value);
  }
}
