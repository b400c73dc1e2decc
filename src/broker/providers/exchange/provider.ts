import type { Result } from "../../../core/result.ts";
import type { CredentialProvider } from "../../hand_out.ts";
import type { ServiceAnswer } from "../service/ask.ts";
import { credentialFault, originOf } from "../service/fault.ts";
import { jsonAnswer, member } from "../service/json_answer.ts";
import { readTokenAnswer, refusal, tokenRequest } from "../oauth/token_endpoint.ts";
import type { GivenToken, Present } from "../present.ts";
import type { ProviderWorld } from "../provider_world.ts";

/** Options of {@linkcode tokenExchange}. */
export interface TokenExchangeOptions {
  readonly tokenUrl: string;
  /** The audience of the ID token that is exchanged. */
  readonly identityAudience: string;
  /** What the service takes the ID token for. */
  readonly subjectTokenType: "id_token" | "jwt";
  /** What the token that comes back is for. */
  readonly audience: string | undefined;
  readonly scopes: readonly string[];
  readonly present: Present;
}

const TYPE = "urn:ietf:params:oauth:token-type:";
const GRANT = "urn:ietf:params:oauth:grant-type:token-exchange";
/** What can be sent as a bearer token; the JWT of RFC 8693, 3, is one that says so of itself. */
const BEARERS = new Set<unknown>([`${TYPE}access_token`, `${TYPE}jwt`]);

/**
 * A token for an ID token of the Authority (RFC 8693): no secret lies anywhere, and the service
 * knows which agent and which session it is.
 */
export function tokenExchange(
  options: TokenExchangeOptions,
  world: ProviderWorld,
): CredentialProvider {
  const { tokenUrl, scopes } = options;
  const origin = originOf(tokenUrl);
  return {
    kind: "token_exchange",
    scope: ({ agentId, sessionId }) => `${origin}, ${agentId}, ${sessionId}`,
    async obtain(need, signal) {
      const identity = await world.identityToken(options.identityAudience, need);
      if (!identity.ok) return identity;
      const grant = {
        grant_type: GRANT,
        subject_token: identity.value,
        subject_token_type: `${TYPE}${options.subjectTokenType}`,
        requested_token_type: `${TYPE}access_token`,
        audience: options.audience,
        scope: scopes.length > 0 ? scopes.join(" ") : undefined,
      };
      const answer = await world.ask(
        tokenRequest(tokenUrl, grant, { headers: {}, form: {} }),
        signal,
      );
      if (!answer.ok) return answer;
      if (answer.value.status !== 200) {
        return credentialFault("refused", origin, refusal(answer.value));
      }
      const token = readExchanged(answer.value, world.now());
      return token.ok
        ? options.present(token.value)
        : credentialFault("answer", origin, token.error);
    },
  };
}

function readExchanged(answer: ServiceAnswer, nowMs: number): Result<GivenToken, string> {
  const token = readTokenAnswer(answer, nowMs);
  if (!token.ok) return token;
  const body = jsonAnswer(answer);
  // RFC 8693, 2.2.1 wants it said.
  const isBearer = body.ok && BEARERS.has(member(body.value, "issued_token_type"));
  return isBearer ? token : { ok: false, error: "its issued_token_type is not an access token" };
}
