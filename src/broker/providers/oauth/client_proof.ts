import { createPrivateKey, type KeyObject } from "node:crypto";
import { ok, type Result } from "../../../core/result.ts";
import { jwtAlgorithm, signJwt } from "../../../pki/json_web_token.ts";
import type { CredentialNeed } from "../../hand_out.ts";
import type { ProviderWorld } from "../provider_world.ts";
import { credentialFault, originOf } from "../service/fault.ts";
import type { ClientProof } from "./token_endpoint.ts";

/** How a client shows who it is (RFC 6749, 2.3; RFC 7523, 2.2). */
export type ClientAuthentication =
  | { readonly by: "client_secret_basic" | "client_secret_post"; readonly secretFile: string }
  | {
    readonly by: "private_key_jwt";
    readonly keyFile: string;
    /** The `kid` that the service knows the key by. */
    readonly keyId: string | undefined;
  }
  /** An ID token of the Authority in place of a secret of the client's own. */
  | { readonly by: "identity_token"; readonly audience: string }
  | { readonly by: "none" };

/** A client of a token endpoint. */
export interface OauthClient {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly authentication: ClientAuthentication;
}

const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/** How long an assertion may be used, in seconds. */
const ASSERTION_LIFE_S = 300;

/** What the client has to show now. */
export async function clientProof(
  { tokenUrl, clientId, authentication }: OauthClient,
  need: CredentialNeed,
  world: ProviderWorld,
): Promise<Result<ClientProof>> {
  switch (authentication.by) {
    case "client_secret_basic":
    case "client_secret_post": {
      const secret = await world.readSecret(authentication.secretFile);
      if (!secret.ok) return secret;
      const text = secret.value;
      if (authentication.by === "client_secret_basic") {
        return ok({ headers: { authorization: basic(clientId, text) }, form: {} });
      }
      return ok({ headers: {}, form: { client_id: clientId, client_secret: text } });
    }
    case "private_key_jwt": {
      const { keyFile, keyId } = authentication;
      const pem = await world.readSecret(keyFile);
      if (!pem.ok) return pem;
      const assertion = clientAssertion({ tokenUrl, clientId, keyId }, pem.value, world.now());
      if (assertion !== undefined) return ok(asserted(clientId, assertion));
      return credentialFault(
        "secret",
        originOf(tokenUrl),
        `"${keyFile}" is of no use: it is no key of RSA (2048 bits), P-256 or Ed25519 in PEM`,
      );
    }
    case "identity_token": {
      const token = await world.identityToken(authentication.audience, need);
      return token.ok ? ok(asserted(clientId, token.value)) : token;
    }
    case "none":
      return ok({ headers: {}, form: { client_id: clientId } });
  }
}

function asserted(clientId: string, assertion: string): ClientProof {
  const form = {
    client_id: clientId,
    client_assertion_type: ASSERTION_TYPE,
    client_assertion: assertion,
  };
  return { headers: {}, form };
}

/** RFC 6749, 2.3.1: both are encoded as in forms before Basic encodes them once more. */
function basic(clientId: string, secret: string): string {
  const encoded = (text: string) => new URLSearchParams([["", text]]).toString().slice(1);
  return `Basic ${btoa(`${encoded(clientId)}:${encoded(secret)}`)}`;
}

function clientAssertion(
  { tokenUrl, clientId, keyId }: {
    readonly tokenUrl: string;
    readonly clientId: string;
    readonly keyId: string | undefined;
  },
  pem: string,
  nowMs: number,
): string | undefined {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    return undefined; // OpenSSL's own words may repeat the text
  }
  const algorithm = jwtAlgorithm(key);
  if (algorithm === undefined) return undefined;
  const iat = Math.floor(nowMs / 1000);
  const claims = {
    iss: clientId,
    sub: clientId,
    aud: tokenUrl,
    jti: crypto.randomUUID(),
    iat,
    exp: iat + ASSERTION_LIFE_S,
  };
  return signJwt(claims, { key, algorithm, ...(keyId !== undefined && { keyId }) });
}
