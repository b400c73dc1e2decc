import type { Result } from "../../../core/result.ts";
import type { CredentialNeed, CredentialProvider } from "../../hand_out.ts";
import type { Present } from "../present.ts";
import type { ProviderWorld } from "../provider_world.ts";
import { originOf } from "../service/fault.ts";
import { askForToken } from "./ask_for_token.ts";
import type { OauthClient } from "./client_proof.ts";
import type { TokenAnswer } from "./token_endpoint.ts";

/** Options of {@linkcode refreshToken}. */
export interface RefreshTokenOptions extends OauthClient {
  readonly present: Present;
  /** File of the refresh token, which is replaced whenever the service gives a new one. */
  readonly refreshTokenFile: string;
  /** Scopes to ask for; without any, those that were granted once. */
  readonly scopes: readonly string[];
}

/**
 * Tokens for a refresh token (RFC 6749, 6). A service that rotates takes the old one back with its
 * answer, so the new one is on the disk before anything is handed out, and processes that share the
 * file take turns: whoever used an old one would end the grant for all.
 */
export function refreshToken(
  options: RefreshTokenOptions,
  world: ProviderWorld,
): CredentialProvider {
  const { clientId, tokenUrl, refreshTokenFile: path, scopes } = options;
  const scope = scopes.length > 0 ? scopes.join(" ") : undefined;
  /** One that could not be written, with the one that it replaces. */
  let unsaved: { readonly next: string; readonly before: string } | undefined;

  async function save(next: string, before: string): Promise<Result<void>> {
    unsaved = { next, before };
    const written = await world.writeSecret(path, next);
    if (written.ok) unsaved = undefined;
    return written;
  }

  async function refresh(need: CredentialNeed, signal: AbortSignal): Promise<Result<TokenAnswer>> {
    const held = await world.readSecret(path);
    if (!held.ok) return held;
    let current = held.value;
    // A file that holds another one by now was written by somebody who signed in again.
    if (unsaved !== undefined && unsaved.before === current) {
      const { next } = unsaved;
      const written = await save(next, current);
      if (!written.ok) return written;
      current = next;
    }
    const grant = { grant_type: "refresh_token", refresh_token: current, scope };
    const token = await askForToken(options, grant, { need, world, signal });
    if (!token.ok) return token;
    const { refreshToken: next = current } = token.value;
    if (next === current) return token;
    const written = await save(next, current);
    return written.ok ? token : written;
  }

  return {
    kind: "oauth_refresh",
    scope: () => `refresh token of client "${clientId}" of ${originOf(tokenUrl)}`,
    async obtain(need, signal) {
      const token = await world.exclusively(path, () => refresh(need, signal));
      return token.ok ? options.present(token.value) : token;
    },
  };
}
