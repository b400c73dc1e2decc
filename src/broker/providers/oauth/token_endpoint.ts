import { err, ok, type Result } from "../../../core/result.ts";
import type { GivenToken } from "../present.ts";
import type { ServiceAnswer, ServiceRequest } from "../service/ask.ts";
import { jsonAnswer, member } from "../service/json_answer.ts";
import { lifetimeMs, secretToken } from "../service/token.ts";

/** What a client shows of itself: headers, and members of the form. */
export interface ClientProof {
  readonly headers: Readonly<Record<string, string>>;
  readonly form: Readonly<Record<string, string>>;
}

/** A request to a token endpoint (RFC 6749, 3.2): a form, by POST. */
export function tokenRequest(
  url: string,
  grant: Readonly<Record<string, string | undefined>>,
  proof: ClientProof,
): ServiceRequest {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...grant, ...proof.form })) {
    if (value !== undefined) form.append(name, value);
  }
  return {
    method: "POST",
    url,
    headers: {
      ...proof.headers,
      accept: "application/json",
      "content-type": "application/x-www-form-urlencoded",
    },
    body: form.toString(),
  };
}

/** The `error` of RFC 6749, 5.2, and RFC 8693, 2.2.2: the only words of an answer that are repeated. */
const REFUSALS: ReadonlySet<unknown> = new Set([
  "invalid_request",
  "invalid_client",
  "invalid_grant",
  "unauthorized_client",
  "unsupported_grant_type",
  "invalid_scope",
  "invalid_target",
]);

/** Why a token endpoint refused, in words that no answer can choose. */
export function refusal(answer: ServiceAnswer): string {
  const body = jsonAnswer(answer);
  const error = body.ok ? member(body.value, "error") : undefined;
  return `it answered ${answer.status}${REFUSALS.has(error) ? ` (${error})` : ""}`;
}

/** What a token endpoint gave. */
export interface TokenAnswer extends GivenToken {
  /** The one to use from now on, where there is a new one. */
  readonly refreshToken?: string;
}

/** Reads the answer of a token endpoint (RFC 6749, 5.1), of which nothing is believed. */
export function readTokenAnswer(answer: ServiceAnswer, nowMs: number): Result<TokenAnswer, string> {
  const body = jsonAnswer(answer);
  if (!body.ok) return body;
  const token = secretToken(member(body.value, "access_token"), "access_token");
  if (!token.ok) return token;
  const type = member(body.value, "token_type");
  if (typeof type !== "string" || type.toLowerCase() !== "bearer") {
    // Any other has to be used in another way than it would be.
    return err('its token_type is not "Bearer"');
  }
  const life = lifetimeMs(member(body.value, "expires_in"), "expires_in");
  if (!life.ok) return life;
  const expiresAtMs = life.value === undefined ? undefined : nowMs + life.value;
  const given = { token: token.value, expiresAtMs };
  const next = member(body.value, "refresh_token");
  if (next === undefined || next === null) return ok(given);
  const refreshToken = secretToken(next, "refresh_token");
  return refreshToken.ok ? ok({ ...given, refreshToken: refreshToken.value }) : refreshToken;
}
