import { readIfThere } from "./small_files.ts";
import { verifySignature } from "./verify_signature.ts";

/** What a key that need not be on this machine says: that another one signs in its name. */
export interface KeyCertificate {
  /** Raw Ed25519 public key, 32 bytes. */
  readonly rootPublicKey: Uint8Array;
  /** Ed25519 over {@linkcode certificateStatement}. */
  readonly signature: Uint8Array;
}

/** What a key signs to vouch for another one: bytes that are no line and no checkpoint. */
export function certificateStatement(publicKey: Uint8Array): Uint8Array {
  return new TextEncoder().encode(`firma audit key\n${publicKey.toBase64()}\n`);
}

/** Where the certificate of the key at `path` lies. */
export function certificatePath(path: string): string {
  return `${path}.certificate`;
}

/** The text of a certificate file: root key and signature, a line of base64 each. */
export function formatCertificate({ rootPublicKey, signature }: KeyCertificate): string {
  return `${rootPublicKey.toBase64()}\n${signature.toBase64()}\n`;
}

/** Tells whether `certificate` is for `publicKey`. */
export function isCertified(publicKey: Uint8Array, certificate: KeyCertificate): boolean {
  const { rootPublicKey, signature } = certificate;
  return verifySignature(rootPublicKey, certificateStatement(publicKey), signature);
}

/** The certificate beside the key at `path`; `undefined` where there is none for `publicKey`. */
export function readCertificate(path: string, publicKey: Uint8Array): KeyCertificate | undefined {
  const text = readIfThere(certificatePath(path));
  if (text === undefined) return undefined;
  const [root, signature] = text.split("\n").map(decodeBase64);
  if (root?.length !== 32 || signature === undefined) return undefined;
  const certificate = { rootPublicKey: root, signature };
  return isCertified(publicKey, certificate) ? certificate : undefined;
}

function decodeBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    return undefined;
  }
}
