/**
 * What passes between the data plane, which sends calls, and the credential broker, which alone
 * knows where secrets come from. Everything here survives JSON.
 */
import type { FirmaError, Result } from "../core/result.ts";
import type { Captured, SessionSignIn } from "./captured.ts";

/** Parts of a repository that have a permission of their own. */
export type NeedSubject = "checks" | "deployments" | "statuses";

/**
 * What a call needs a credential for. Neither its method nor its path is in it: `actionClass` and
 * `resource` are what was made of them, and a hand-out serves every call that is equal in these.
 */
export interface CredentialNeed {
  /** Name of the credential in `firma.toml`. */
  readonly label: string;
  /** Which one of that name was meant when the call was decided: `editionOf()`. */
  readonly edition: string;
  /** Canonical, and the name that TLS checks: the only host that the hand-out may go to. */
  readonly host: string;
  readonly port: number;
  /** The strictest class of what the call does. */
  readonly actionClass: string;
  /** `owner/repository` in lower case where the call is about one, else `""`. */
  readonly resource: string;
  /** What of the repository, where the class does not say. @default {whatever the class says} */
  readonly subject?: NeedSubject;
  readonly sessionId: string;
  readonly agentId: string;
  /**
   * The call signs in or renews a sign-in, at the token endpoint, or it asks about a token that it
   * shows. @default {it is any other}
   */
  readonly purpose?: "sign-in" | "inquiry";
}

/** Keys of a temporary AWS session: the call is signed with them (SigV4), they do not travel. */
export interface AwsSigning {
  readonly kind: "aws-sigv4";
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** Where the agent's own signature does not say. */
  readonly region?: string;
  readonly service?: string;
}

/** What a call goes out with. */
export interface HandOut {
  readonly label: string;
  /** Lower-case names; each replaces the agent's headers of that name, also when it is empty. */
  readonly headers: readonly (readonly [string, string])[];
  /** Raw values, to be masked in answers: all of `headers` that is secret, and what it was made of. */
  readonly secrets: readonly string[];
  /** Milliseconds since the epoch; not to be used any more from then on. @default {never} */
  readonly expiresAtMs?: number;
  readonly signing?: AwsSigning;
}

/** A hand-out as the broker gives it: with what the record of the call says of it. */
export interface Issued extends HandOut {
  /** The kind of its provider, such as `file`. */
  readonly provider: string;
  /** What it is good for, in words of the provider; no secret. */
  readonly scope: string;
  /** Milliseconds since the epoch: from then on it is asked for again. */
  readonly usableUntilMs: number;
}

/** Where a credential comes from. */
export interface CredentialProvider {
  /** As `provider` in `firma.toml` names it. */
  readonly kind: string;
  /** Needs with equal scope share one hand-out. It is recorded: no secret may be in it. */
  scope(need: CredentialNeed): string;
  /**
   * Gets a hand-out for all needs with the scope of this one. Never rejects; gives up when `signal`
   * aborts. No message of an error holds any part of a secret.
   */
  obtain(need: CredentialNeed, signal: AbortSignal): Promise<Result<HandOut, FirmaError>>;
  /**
   * Takes on tokens that a service gave to an agent's program, before that sees any of it. Never
   * rejects; once it resolved well, they are handed out. @default {it takes none}
   */
  capture?(captured: Captured): Promise<Result<void, FirmaError>>;
  /** What it has for single sessions and keeps in memory alone. @default nothing */
  ownSignIns?(): readonly SessionSignIn[];
  /** Takes over one of these from the process before. @default {there are none} */
  adopt?(own: SessionSignIn): void;
}
