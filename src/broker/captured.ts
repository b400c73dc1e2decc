import type { TokenRole } from "../secrets/sign_in/services.ts";

/** Tokens of a sign-in, by what they are for. */
export type SignInTokens = Readonly<Partial<Record<TokenRole, string>>>;

/** What a service gave in answer to a sign-in or a renewal, before an agent has seen any of it. */
export interface Captured {
  /** Name of the credential in `firma.toml`. */
  readonly label: string;
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
