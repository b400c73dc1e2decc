/**
 * Signatures in minisign's form (https://jedisct1.github.io/minisign): Ed25519 over the file itself
 * (algorithm `Ed`), which `minisign -V` and scripts/install.sh verify.
 */
import { createHash, createPublicKey, type KeyObject, sign as signEd25519 } from "node:crypto";

const ALGORITHM = new TextEncoder().encode("Ed");

/** The text of the public key: `Ed`, eight bytes that name it, the key, in base64. */
export function publicKeyText(privateKey: KeyObject): string {
  return join(ALGORITHM, keyId(privateKey), rawPublicKey(privateKey)).toBase64();
}

/** The `.minisig` file for some bytes. The trusted comment is one line, and signed as well. */
export function minisign(privateKey: KeyObject, bytes: Uint8Array, trustedComment: string): string {
  const signature = signEd25519(null, bytes, privateKey);
  const comment = new TextEncoder().encode(trustedComment);
  return `untrusted comment: signature by the key of firma's releases
${join(ALGORITHM, keyId(privateKey), signature).toBase64()}
trusted comment: ${trustedComment}
${join(signEd25519(null, join(signature, comment), privateKey)).toBase64()}
`;
}

function keyId(privateKey: KeyObject): Uint8Array {
  return createHash("sha256").update(rawPublicKey(privateKey)).digest().subarray(0, 8);
}

function rawPublicKey(privateKey: KeyObject): Uint8Array {
  const { x } = createPublicKey(privateKey).export({ format: "jwk" });
  return Uint8Array.fromBase64(x!, { alphabet: "base64url" });
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
