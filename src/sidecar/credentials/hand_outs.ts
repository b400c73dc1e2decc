import type { CredentialNeed, Issued } from "../../broker/hand_out.ts";
import { isUsable } from "../../broker/hand_out_cache.ts";
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
export type Heard = (sessionId: string, issued: Pick<Issued, "label" | "secrets">) => void;

/** More than the sessions of a Sidecar use at once; an agent may make up names of repositories. */
const MOST_KEPT = 4_096;

/**
 * The hand-outs that the sessions of a data plane have, as long as they may be used. Calls that
 * need the same one wait for the same answer.
 */
export class HandOuts {
  readonly #source: CredentialSource;
  readonly #now: () => number;
  readonly #kept = new Map<string, Issued>();
  readonly #coming = new Map<string, Promise<Result<Issued>>>();
  readonly #heard: Heard;

  /** @param heard hears of each hand-out before any call has it. @default nobody */
  constructor(
    source: CredentialSource,
    heard: Heard = () => {},
    now: () => number = Date.now,
  ) {
    this.#source = source;
    this.#heard = heard;
    this.#now = now;
  }

  /** The hand-out for a need: at once where the session has it. Never rejects. */
  get(need: CredentialNeed): Issued | Promise<Result<Issued>> {
    const key = keyOf(need);
    const kept = this.#kept.get(key);
    if (kept !== undefined) {
      if (isUsable(kept, this.#now())) return kept;
      this.#kept.delete(key);
    }
    let coming = this.#coming.get(key);
    if (coming === undefined) {
      coming = this.#source.ask(need).then((outcome) => {
        this.#coming.delete(key);
        if (outcome.ok) this.#keep(key, need, outcome.value);
        return outcome;
      });
      this.#coming.set(key, coming);
    }
    return coming;
  }

  /** Has tokens kept, so that the next call that needs one has the new one. Never rejects. */
  async capture(captured: Captured): Promise<Result<void>> {
    const { label, sessionId, tokens } = captured;
    this.#heard(sessionId, { label, secrets: TOKEN_ROLES.map((role) => tokens[role] ?? "") });
    const taken = await this.#source.capture(captured);
    for (const [key, kept] of this.#kept) if (kept.label === label) this.#kept.delete(key);
    return taken;
  }

  /** A server would not have it: the next call asks for another. */
  refused(issued: Issued): void {
    const { label, scope } = issued;
    for (const [key, kept] of this.#kept) {
      if (kept.label === label && kept.scope === scope) this.#kept.delete(key);
    }
    this.#source.refused(label, scope);
  }

  /** Keeps nothing of a session that has ended. */
  forget(sessionId: string): void {
    for (const key of this.#kept.keys()) {
      if (key.startsWith(`${sessionId}\0`)) this.#kept.delete(key);
    }
  }

  #keep(key: string, need: CredentialNeed, issued: Issued): void {
    this.#heard(need.sessionId, issued);
    if (this.#kept.size >= MOST_KEPT) this.#kept.delete(this.#kept.keys().next().value!);
    this.#kept.set(key, issued);
  }
}

/** All that a hand-out may depend on. None of the parts has a NUL in it. */
function keyOf(
  { sessionId, label, host, port, actionClass, resource, subject, purpose }: CredentialNeed,
): string {
  const place = [`${host}:${port}`, subject, purpose].join(" ");
  return `${sessionId}\0${label}\0${place}\0${actionClass}\0${resource}`;
}
