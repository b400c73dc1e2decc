import { createPrivateKey } from "node:crypto";
import type { IdentityConfig } from "../../config/authority_config.ts";
import { join } from "../../core/path.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import { signJwt } from "../../pki/json_web_token.ts";
import { loadOrCreateIdentityKeys, publicIdentityKey, signingKeyAt } from "./identity_keys.ts";

/** What a token is to say. */
export interface IdentityClaims {
  readonly audience: string;
  readonly agentId: string;
  readonly sessionId: string;
  /** Of the token alone. */
  readonly tokenId: string;
}

/** How long an ID token is good for, in milliseconds: it is exchanged at once. */
export const IDENTITY_LIFE_MS = 300_000;
/** Where the documents lie below the issuer (OpenID Connect Discovery 1.0, 4). */
export const DISCOVERY_PATH = "/.well-known/openid-configuration";
/** Where the keys lie below the issuer. */
export const KEYS_PATH = "/.well-known/jwks.json";

/** Tells whether tokens for this audience may be had at all. */
export function checkAudience(
  config: IdentityConfig | undefined,
  audience: string,
): Result<IdentityConfig> {
  if (config === undefined) {
    return refused("IDENTITY_NOT_CONFIGURED", "the Authority vouches for nobody", CONFIGURE);
  }
  if (config.audiences.includes(audience)) return ok(config);
  return refused("AUDIENCE_NOT_PERMITTED", `"${audience}" is not one of its audiences`, PERMIT);
}

const CONFIGURE = "write issuer and audiences in [authority.identity]";
const PERMIT = "add it to audiences in [authority.identity]";

/** Why there is no ID token. */
export function refused(
  code: string,
  state: string,
  cure?: string,
): { readonly ok: false; readonly error: FirmaError } {
  return err({ code, message: `Cannot issue an ID token: ${state}`, ...(cure && { cure }) });
}

/** Signs an ID token (OpenID Connect Core 1.0, 2). The keys are read anew, in case they changed. */
export async function signIdentity(
  { issuer, keyFile }: IdentityConfig,
  { audience, agentId, sessionId, tokenId }: IdentityClaims,
  nowMs: number,
): Promise<Result<string>> {
  const keys = await loadOrCreateIdentityKeys(keyFile, nowMs);
  if (!keys.ok) return keys;
  const key = signingKeyAt(keys.value, nowMs);
  if (key === undefined) {
    return refused("IDENTITY_KEYS_INVALID", "none of its keys is in force yet");
  }
  const iat = Math.floor(nowMs / 1000);
  const claims = {
    iss: issuer,
    sub: agentId,
    aud: audience,
    iat,
    nbf: iat,
    exp: iat + IDENTITY_LIFE_MS / 1000,
    jti: tokenId,
    agent_id: agentId,
    session_id: sessionId,
  };
  const { keyId } = key;
  return ok(signJwt(claims, { key: createPrivateKey(key.pem), algorithm: "RS256", keyId }));
}

/** What services verify ID tokens by, by the path below the issuer. */
export async function identityDocuments(
  { issuer, keyFile }: Pick<IdentityConfig, "issuer" | "keyFile">,
  nowMs: number,
): Promise<Result<ReadonlyMap<string, unknown>>> {
  const keys = await loadOrCreateIdentityKeys(keyFile, nowMs);
  if (!keys.ok) return keys;
  return ok(
    new Map<string, unknown>([
      [DISCOVERY_PATH, {
        issuer,
        jwks_uri: `${issuer}${KEYS_PATH}`,
        response_types_supported: ["id_token"],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["RS256"],
        scopes_supported: ["openid"],
        claims_supported: [
          "iss",
          "sub",
          "aud",
          "iat",
          "nbf",
          "exp",
          "jti",
          "agent_id",
          "session_id",
        ],
      }],
      [KEYS_PATH, { keys: keys.value.map(publicIdentityKey) }],
    ]),
  );
}

/** Where the documents of an issuer are to be written, by path. */
export function documentFiles(
  directory: string,
  documents: ReadonlyMap<string, unknown>,
): { readonly path: string; readonly text: string; readonly secret: false }[] {
  return [...documents].map(([path, document]) => ({
    path: join(directory, path.slice(1)),
    text: `${JSON.stringify(document, undefined, 2)}\n`,
    secret: false,
  }));
}
