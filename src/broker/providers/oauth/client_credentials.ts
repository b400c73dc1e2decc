import type { CredentialProvider } from "../../hand_out.ts";
import type { Present } from "../present.ts";
import type { ProviderWorld } from "../provider_world.ts";
import { originOf } from "../service/fault.ts";
import { askForToken } from "./ask_for_token.ts";
import type { OauthClient } from "./client_proof.ts";

/** Options of {@linkcode clientCredentials}. */
export interface ClientCredentialsOptions extends OauthClient {
  readonly present: Present;
  /** Scopes to ask for. */
  readonly scopes: readonly string[];
  /** What the token is for, where the service wants to be told. */
  readonly audience: string | undefined;
}

/** A token that a client gets for itself (RFC 6749, 4.4). */
export function clientCredentials(
  options: ClientCredentialsOptions,
  world: ProviderWorld,
): CredentialProvider {
  const { clientId, tokenUrl, scopes, audience, authentication } = options;
  const grant = {
    grant_type: "client_credentials",
    scope: scopes.length > 0 ? scopes.join(" ") : undefined,
    audience,
  };
  const what = `client "${clientId}" of ${originOf(tokenUrl)}`;
  return {
    kind: "oauth_client",
    // What an ID token says differs with whom it is about, and so may what is got for it.
    scope: ({ agentId, sessionId }) =>
      authentication.by === "identity_token" ? `${what}, ${agentId}, ${sessionId}` : what,
    async obtain(need, signal) {
      const token = await askForToken(options, grant, { need, world, signal });
      return token.ok ? options.present(token.value) : token;
    },
  };
}
