import type { KeptSignIn } from "../secrets/sign_in/kept_sign_in.ts";
import type { TokenRole } from "../secrets/sign_in/services.ts";

/** Tokens of a sign-in, by what they are for. */
export type SignInTokens = Readonly<Partial<Record<TokenRole, string>>>;

/** What a service gave in answer to a sign-in or a renewal, before an agent has seen any of it. */
export interface Captured {
  /** Name of the credential in `firma.toml`. */
  readonly label: string;
  /** Which one of that name was meant when the call was decided: `editionOf()`. */
  readonly edition: string;
  readonly sessionId: string;
  /**
   * The call carried the refresh token of the sign-in that there is, and asked for nothing else;
   * otherwise somebody signed in, to whichever account.
   */
  readonly renews: boolean;
  readonly tokens: SignInTokens;
  /** When the access token ends, in milliseconds since the epoch. */
  readonly expiresAtMs?: number;
}

/** A sign-in that holds for one session, and that the memory of a broker alone has. */
export interface SessionSignIn {
  readonly sessionId: string;
  readonly signIn: KeptSignIn;
}

/** The same, with the credential that it is of. */
export interface OwnSignIn extends SessionSignIn {
  readonly label: string;
  readonly edition: string;
}
