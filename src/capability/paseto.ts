/**
 * PASETO v4.public (https://github.com/paseto-standard/paseto-spec), of which a capability token
 * needs two functions. By hand, because every start would wait for a library and for what it loads;
 * tests hold it against one.
 */
import type { KeyObject } from "node:crypto";
import { err, ok, type Result } from "../core/result.ts";

const HEADER = "v4.public.";
const SIGNATURE_BYTES = 64;
const EMPTY = new Uint8Array();
const WITHOUT_PADDING = { alphabet: "base64url", omitPadding: true } as const;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What a PASETO authenticates beside its claims; both default to nothing. */
export interface PasetoBinding {
  readonly footer?: Uint8Array<ArrayBuffer>;
  readonly implicitAssertion?: Uint8Array<ArrayBuffer>;
}

/** Reading a key takes longer than signing with it. */
const webKeys = new WeakMap<KeyObject, Promise<CryptoKey>>();

async function webKeyOf(privateKey: KeyObject): Promise<CryptoKey> {
  const der = new Uint8Array(privateKey.export({ type: "pkcs8", format: "der" }));
  return await crypto.subtle.importKey("pkcs8", der, "Ed25519", false, ["sign"]);
}

/** Pre-authentication encoding: no parts can be cut differently and mean the same. */
function authenticated(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const sizes = parts.reduce((sum, { length }) => sum + 8 + length, 8);
  const bytes = new Uint8Array(sizes);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(parts.length), true);
  let at = 8;
  for (const part of parts) {
    view.setBigUint64(at, BigInt(part.length), true);
    bytes.set(part, at + 8);
    at += 8 + part.length;
  }
  return bytes;
}

/**
 * Signs claims as PASETO v4.public and adds no claim of its own.
 *
 * @throws When `privateKey` is not an Ed25519 private key.
 */
export async function signPaseto(
  claims: object,
  privateKey: KeyObject | CryptoKey,
  { footer = EMPTY, implicitAssertion = EMPTY }: PasetoBinding = {},
): Promise<string> {
  let key: CryptoKey;
  if (privateKey instanceof CryptoKey) key = privateKey;
  else {
    const known = webKeys.get(privateKey) ?? webKeyOf(privateKey);
    webKeys.set(privateKey, known);
    key = await known;
  }
  const payload = encoder.encode(JSON.stringify(claims));
  const signed = authenticated([encoder.encode(HEADER), payload, footer, implicitAssertion]);
  const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", key, signed));
  const body = new Uint8Array(payload.length + SIGNATURE_BYTES);
  body.set(payload);
  body.set(signature, payload.length);
  const end = footer.length === 0 ? "" : `.${footer.toBase64(WITHOUT_PADDING)}`;
  return `${HEADER}${body.toBase64(WITHOUT_PADDING)}${end}`;
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
  if (!token.startsWith(HEADER)) return invalid("it is no PASETO of version 4 with a signature");
  const end = footer.length === 0 ? "" : `.${footer.toBase64(WITHOUT_PADDING)}`;
  if (!token.endsWith(end)) return invalid("its footer is another one");
  const body = decode(token.slice(HEADER.length, token.length - end.length));
  if (body === undefined || body.length < SIGNATURE_BYTES) return invalid("it is malformed");
  const payload = body.subarray(0, body.length - SIGNATURE_BYTES);
  const signature = body.subarray(body.length - SIGNATURE_BYTES);
  const signed = authenticated([encoder.encode(HEADER), payload, footer, implicitAssertion]);
  try {
    const raw = new Uint8Array(publicKey);
    const key = await crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
    if (!await crypto.subtle.verify("Ed25519", key, signature, signed)) {
      return invalid("its signature does not fit");
    }
  } catch (cause) {
    return invalid("the key cannot be used", cause);
  }
  try {
    const claims: unknown = JSON.parse(decoder.decode(payload));
    if (typeof claims === "object" && claims !== null && !Array.isArray(claims)) {
      return ok(claims as Record<string, unknown>);
    }
  } catch {
    // says nothing, as what is no object
  }
  return invalid("it holds no claims");
}

/** In the one form that the specification has; `undefined` for any other. */
function decode(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const bytes = Uint8Array.fromBase64(text, { alphabet: "base64url" });
    return bytes.toBase64(WITHOUT_PADDING) === text ? bytes : undefined;
  } catch {
    return undefined;
  }
}

function invalid(state: string, cause?: unknown): Result<never> {
  return err({
    code: "TOKEN_INVALID",
    message: `Cannot verify the capability token: ${state}`,
    ...(cause !== undefined && { cause }),
  });
}
