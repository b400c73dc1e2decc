import type { CredentialNeed, Issued } from "../../broker/hand_out.ts";
import { isUsable } from "../../broker/hand_out_cache.ts";
import { superseded } from "../../broker/provider.ts";
import type { Captured } from "../../broker/captured.ts";
import { TOKEN_ROLES } from "../../secrets/sign_in/services.ts";
import type { Result } from "../../core/result.ts";

/** Who is asked for hand-outs. */
export interface CredentialSource {
  /** Never rejects. */
  ask(need: CredentialNeed): Promise<Result<Issued>>;
  /** Has tokens kept. Never rejects. */
  capture(captured: Captured): Promise<Result<void>>;
  /** A server would not have what was handed out. */
  refused(label: string, scope: string): void;
}

/** Hears which secrets a session is handed. */
export type Heard = (
  sessionId: string,
  issued: Pick<Issued, "label" | "secrets">,
  edition: string,
) => void;

/** Whether the credential that is meant is in force. */
export type InForce = (meant: Pick<CredentialNeed, "label" | "edition">) => boolean;

/** Options of {@linkcode HandOuts}. */
export interface HandOutsOptions {
  /** Hears of each hand-out before any call has it. @default nobody */
  readonly heard?: Heard;
  /** Hears of each call that goes out with one that its session has already. @default nobody */
  readonly reused?: Heard;
  /** Asked before and after a hand-out is obtained. @default {all of them are} */
  readonly isInForce?: InForce;
  /** Milliseconds since the epoch. @default {Date.now} */
  readonly now?: () => number;
}

interface Kept {
  readonly issued: Issued;
  readonly need: CredentialNeed;
}

/** More than the sessions of a Sidecar use at once; an agent may make up names of repositories. */
const MOST_KEPT = 4_096;

/**
 * The hand-outs that the sessions of a data plane have, as long as they may be used. Calls that
 * need the same one wait for the same answer.
 */
export class HandOuts {
  readonly #source: CredentialSource;
  readonly #now: () => number;
  readonly #kept = new Map<string, Kept>();
  readonly #coming = new Map<string, Promise<Result<Issued>>>();
  readonly #heard: Heard;
  readonly #reused: Heard;
  readonly #isInForce: InForce;

  constructor(
    source: CredentialSource,
    { heard = () => {}, reused = () => {}, isInForce = () => true, now = Date.now }:
      HandOutsOptions = {},
  ) {
    this.#source = source;
    this.#heard = heard;
    this.#reused = reused;
    this.#isInForce = isInForce;
    this.#now = now;
  }

  /** The hand-out for a need: at once where the session has it. Never rejects. */
  get(need: CredentialNeed): Issued | Promise<Result<Issued>> {
    if (!this.#isInForce(need)) return Promise.resolve(superseded(need.label));
    const key = keyOf(need);
    const kept = this.#kept.get(key)?.issued;
    if (kept !== undefined) {
      if (isUsable(kept, this.#now())) {
        this.#reused(need.sessionId, kept, need.edition);
        return kept;
      }
      this.#kept.delete(key);
    }
    let coming = this.#coming.get(key);
    if (coming === undefined) {
      coming = this.#source.ask(need).then((outcome) => {
        this.#coming.delete(key);
        if (!outcome.ok) return outcome;
        if (!this.#isInForce(need)) return superseded(need.label);
        this.#keep(key, need, outcome.value);
        return outcome;
      });
      this.#coming.set(key, coming);
    }
    return coming;
  }

  /** Has tokens kept, so that the next call that needs one has the new one. Never rejects. */
  async capture(captured: Captured): Promise<Result<void>> {
    const { label, edition, sessionId, tokens } = captured;
    const secrets = TOKEN_ROLES.map((role) => tokens[role] ?? "");
    this.#heard(sessionId, { label, secrets }, edition);
    const taken = await this.#source.capture(captured);
    for (const [key, { need }] of this.#kept) if (need.label === label) this.#kept.delete(key);
    return taken;
  }

  /** A server would not have it: the next call asks for another. */
  refused(issued: Issued): void {
    const { label, scope } = issued;
    for (const [key, { issued: kept }] of this.#kept) {
      if (kept.label === label && kept.scope === scope) this.#kept.delete(key);
    }
    this.#source.refused(label, scope);
  }

  /** Keeps nothing of credentials that are not in force any more. */
  review(): void {
    for (const [key, { need }] of this.#kept) if (!this.#isInForce(need)) this.#kept.delete(key);
  }

  /** Keeps nothing of a session that has ended. */
  forget(sessionId: string): void {
    for (const key of this.#kept.keys()) {
      if (key.startsWith(`${sessionId}\0`)) this.#kept.delete(key);
    }
  }

  #keep(key: string, need: CredentialNeed, issued: Issued): void {
    this.#heard(need.sessionId, issued, need.edition);
    if (this.#kept.size >= MOST_KEPT) this.#kept.delete(this.#kept.keys().next().value!);
    this.#kept.set(key, { issued, need });
  }
}

/** All that a hand-out may depend on. None of the parts has a NUL in it. */
function keyOf(
  { sessionId, label, edition, host, port, actionClass, resource, subject, purpose }:
    CredentialNeed,
): string {
  const place = [`${host}:${port}`, subject, purpose].join(" ");
  return `${sessionId}\0${label}\0${edition}\0${place}\0${actionClass}\0${resource}`;
}
