/**
 * Services that programs sign in at, and what of their answers is a token (RFC 6749, 5.1). A program
 * of an agent goes through the sign-in itself; the tokens that come back stay with the broker.
 */
import type { PlaceholderShape } from "../placeholder_shapes.ts";

/** What a token is for. */
export type TokenRole = "access" | "refresh" | "id";

/** The roles, each at the place that its token has among the secrets of a hand-out. */
export const TOKEN_ROLES: readonly TokenRole[] = ["access", "refresh", "id"];

/** Where the tokens of a sign-in come from. */
export interface TokenEndpoint {
  readonly host: string;
  readonly port: number;
  /** Canonical; the answers to calls there hold tokens. */
  readonly path: string;
}

/** A service that is signed in at. */
export interface SignInService {
  readonly endpoints: readonly TokenEndpoint[];
  /**
   * Prefixes of paths at the hosts of `endpoints` where a sign-in goes on, so that no token is added
   * to calls there.
   */
  readonly around: readonly string[];
  /** Where a program shows its access token to hear whose it is, and how long it is good for. */
  readonly inquiries: readonly TokenEndpoint[];
  /** By the member of an answer that holds one: what the token is. */
  readonly members: Readonly<Record<string, TokenRole>>;
  /** What placeholders of the tokens look like. */
  readonly shapes: Readonly<Record<TokenRole, PlaceholderShape>>;
}

const STANDARD: SignInService["members"] = {
  access_token: "access",
  refresh_token: "refresh",
  id_token: "id",
};

const at = (host: string, path: string): TokenEndpoint => ({ host, port: 443, path });

/** By the word that `firma.toml` has for them. */
export const SIGN_IN_SERVICES = {
  claude: {
    endpoints: [
      at("platform.claude.com", "/v1/oauth/token"),
      at("console.anthropic.com", "/v1/oauth/token"),
    ],
    around: [],
    inquiries: [],
    members: STANDARD,
    shapes: { access: "anthropic-oauth", refresh: "anthropic-refresh", id: "jwt" },
  },
  openai: {
    endpoints: [at("auth.openai.com", "/oauth/token")],
    around: ["/api/accounts/deviceauth"],
    inquiries: [],
    members: STANDARD,
    shapes: { access: "jwt", refresh: "fsp", id: "jwt" },
  },
  google: {
    endpoints: [at("oauth2.googleapis.com", "/token")],
    around: ["/revoke"],
    inquiries: [
      at("oauth2.googleapis.com", "/tokeninfo"),
      at("www.googleapis.com", "/oauth2/v2/userinfo"),
    ],
    members: STANDARD,
    shapes: { access: "fsp", refresh: "fsp", id: "jwt" },
  },
  github: {
    endpoints: [at("github.com", "/login/oauth/access_token")],
    around: ["/login"],
    inquiries: [],
    members: STANDARD,
    shapes: { access: "github-oauth", refresh: "fsp", id: "jwt" },
  },
} as const satisfies Readonly<Record<string, SignInService>>;

/** The word for a service. */
export type SignInServiceName = keyof typeof SIGN_IN_SERVICES;

/** A service that an operator names by the address of its token endpoint (RFC 6749, 3.2). */
export function serviceAt(tokenUrl: string): SignInService {
  const { hostname, port, pathname } = new URL(tokenUrl);
  return {
    endpoints: [{ host: hostname, port: Number(port || 443), path: pathname }],
    around: [],
    inquiries: [],
    members: STANDARD,
    shapes: { access: "fsp", refresh: "fsp", id: "jwt" },
  };
}
