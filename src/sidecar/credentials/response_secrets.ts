import type { CredentialNeed, Issued } from "../../broker/hand_out.ts";
import { SessionSecrets } from "../../secrets/session_secrets.ts";

/** What the agent of a session holds for a secret of a credential, by its place in the hand-out. */
export type PlaceholderOf = (
  sessionId: string,
  label: string,
  part: number,
) => string | undefined;

/** The secrets that the sessions of a data plane were ever handed. */
export class SecretsOfSessions {
  readonly #sessions = new Map<string, SessionSecrets>();
  readonly #placeholderOf: PlaceholderOf;
  /** Editions of credentials that answers cannot be searched for. */
  readonly #tooShort = new Set<string>();

  /** @param placeholderOf tells what the agent holds. @default {nothing} */
  constructor(placeholderOf: PlaceholderOf = () => undefined) {
    this.#placeholderOf = placeholderOf;
  }

  /** Of one session. */
  of(sessionId: string): SessionSecrets {
    let secrets = this.#sessions.get(sessionId);
    if (secrets === undefined) this.#sessions.set(sessionId, secrets = new SessionSecrets());
    return secrets;
  }

  /**
   * Learns what a session is handed, before any call goes out with it.
   * @param edition of the credential. @default {it is handed out no more}
   */
  learn(
    sessionId: string,
    { label, secrets }: Pick<Issued, "label" | "secrets">,
    edition?: string,
  ): void {
    const known = this.of(sessionId);
    for (const [part, secret] of secrets.entries()) {
      if (secret === "") continue;
      if (!known.learn(secret, this.#placeholderOf(sessionId, label, part))) {
        if (edition !== undefined) this.#tooShort.add(edition);
      }
    }
  }

  /** A call goes out with what its session was handed before; that may have been forgotten since. */
  renew(sessionId: string, issued: Pick<Issued, "label" | "secrets">, edition: string): void {
    const known = this.of(sessionId);
    for (const secret of issued.secrets) {
      if (secret !== "" && !known.renew(secret)) return this.learn(sessionId, issued, edition);
    }
  }

  /** Whether a credential that was handed out could not be told from other text in answers. */
  isTooShort({ edition }: Pick<CredentialNeed, "edition">): boolean {
    return this.#tooShort.has(edition);
  }

  /** Keeps nothing of a session that has ended. */
  forget(sessionId: string): void {
    this.#sessions.delete(sessionId);
  }
}
