import type { KeyObject } from "node:crypto";
import { PasetoError, PublicProtocol } from "paseto";
import {
  PublicKeyFromCryptoKey,
  SecretKeyFromCryptoKey,
  SignFactory,
  VerifyFactory,
} from "paseto/v4/public";
import { err, ok, type Result } from "../core/result.ts";

const v4 = new PublicProtocol(SignFactory, VerifyFactory);
const EMPTY = new Uint8Array();

/** What a PASETO authenticates beside its claims; both default to nothing. */
export interface PasetoBinding {
  readonly footer?: Uint8Array<ArrayBuffer>;
  readonly implicitAssertion?: Uint8Array<ArrayBuffer>;
}

type SecretKey = Awaited<ReturnType<typeof SecretKeyFromCryptoKey>>;

/** Reading a key takes longer than signing with it. */
const secretKeys = new WeakMap<KeyObject, Promise<SecretKey>>();

async function secretKeyOf(privateKey: KeyObject): Promise<SecretKey> {
  const der = new Uint8Array(privateKey.export({ type: "pkcs8", format: "der" }));
  // Extractable, because the signing key must hand out its public half for the signature.
  const key = await crypto.subtle.importKey("pkcs8", der, "Ed25519", true, ["sign"]);
  return await SecretKeyFromCryptoKey(key);
}

/**
 * Signs claims as PASETO v4.public and adds no claim of its own.
 *
 * @throws When `privateKey` is not an Ed25519 private key.
 */
export async function signPaseto(
  claims: object,
  privateKey: KeyObject,
  { footer = EMPTY, implicitAssertion = EMPTY }: PasetoBinding = {},
): Promise<string> {
  const known = secretKeys.get(privateKey) ?? secretKeyOf(privateKey);
  secretKeys.set(privateKey, known);
  return await v4.Sign(await known, claims, {
    footer,
    implicitAssertion,
    addIssuedAt: false,
    nonExpiring: !Object.hasOwn(claims, "exp"),
  });
}

/**
 * Returns the claims of a PASETO v4.public token whose signature, footer and
 * implicit assertion are exactly as given. Looks at no claim, not even at `exp`.
 */
export async function verifyPaseto(
  token: string,
  publicKey: Uint8Array,
  { footer = EMPTY, implicitAssertion = EMPTY }: PasetoBinding = {},
): Promise<Result<Record<string, unknown>>> {
  try {
    const raw = new Uint8Array(publicKey);
    const key = await crypto.subtle.importKey("raw", raw, "Ed25519", true, ["verify"]);
    const { claims } = await v4.Verify(await PublicKeyFromCryptoKey(key), token, {
      footer,
      implicitAssertion,
      allowNonExpiring: true,
      // Times are the business of whoever reads the claims.
      clockTolerance: Number.MAX_SAFE_INTEGER,
    });
    return ok(claims);
  } catch (cause) {
    const reason = cause instanceof PasetoError ? cause.message : "the key cannot be used";
    return err({
      code: "TOKEN_INVALID",
      message: `Cannot verify the capability token: ${reason}`,
      cause,
    });
  }
}
