import type { Issued } from "../../broker/hand_out.ts";
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
  /** Names of credentials that answers cannot be searched for. */
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

  /** Learns what a session is handed, before any call goes out with it. */
  learn(sessionId: string, { label, secrets }: Pick<Issued, "label" | "secrets">): void {
    const known = this.of(sessionId);
    for (const [part, secret] of secrets.entries()) {
      if (secret === "") continue;
      if (!known.learn(secret, this.#placeholderOf(sessionId, label, part))) {
        this.#tooShort.add(label);
      }
    }
  }

  /** Whether a credential that was handed out could not be told from other text in answers. */
  isTooShort(label: string): boolean {
    return this.#tooShort.has(label);
  }

  /** Keeps nothing of a session that has ended. */
  forget(sessionId: string): void {
    this.#sessions.delete(sessionId);
  }
}
