import type { KeyObject } from "node:crypto";
import { nodeModule } from "../core/node_module.ts";

/** Raw keys never change, and making something of one takes as long as using it. */
const keys = new WeakMap<Uint8Array, KeyObject>();

/** Tells whether `signature` is the Ed25519 signature (RFC 8032) of `message` under a raw key. */
export function verifySignature(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (signature.length !== 64) return false;
  const { createPublicKey, verify } = nodeModule("node:crypto");
  let key = keys.get(publicKey);
  if (key === undefined) {
    const x = publicKey.toBase64({ alphabet: "base64url", omitPadding: true });
    key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
    keys.set(publicKey, key);
  }
  return verify(null, message, key, signature);
}

/** The same for a few signatures, which need not load `node:crypto`. */
export async function verifyOneSignature(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  if (signature.length !== 64) return false;
  const raw = new Uint8Array(publicKey);
  const key = await crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
  return await crypto.subtle.verify(
    "Ed25519",
    key,
    new Uint8Array(signature),
    new Uint8Array(message),
  );
}
