import type { Result } from "../../../core/result.ts";
import type { CredentialNeed } from "../../hand_out.ts";
import type { ProviderWorld } from "../provider_world.ts";
import { credentialFault, originOf } from "../service/fault.ts";
import { clientProof, type OauthClient } from "./client_proof.ts";
import { readTokenAnswer, refusal, type TokenAnswer, tokenRequest } from "./token_endpoint.ts";

/** Asks a token endpoint for what `grant` stands for. */
export async function askForToken(
  client: OauthClient,
  grant: Readonly<Record<string, string | undefined>>,
  { need, world, signal }: {
    readonly need: CredentialNeed;
    readonly world: ProviderWorld;
    readonly signal: AbortSignal;
  },
): Promise<Result<TokenAnswer>> {
  const proof = await clientProof(client, need, world);
  if (!proof.ok) return proof;
  const answer = await world.ask(tokenRequest(client.tokenUrl, grant, proof.value), signal);
  if (!answer.ok) return answer;
  const origin = originOf(client.tokenUrl);
  if (answer.value.status !== 200) {
    return credentialFault("refused", origin, refusal(answer.value));
  }
  const token = readTokenAnswer(answer.value, world.now());
  return token.ok ? token : credentialFault("answer", origin, token.error);
}
