/**
 * The keys that ID tokens are signed with: RSA, because every cloud takes RS256. One signs; the next
 * one is published before it does, and the last one for as long after as somebody may go by it.
 */
import { createHash, createPrivateKey, createPublicKey, generateKeyPair } from "node:crypto";
import { promisify } from "node:util";
import { writeNewFiles } from "../../pki/new_files.ts";
import { readPrivateFile } from "../../pki/private_file.ts";
import { err, ok, type Result } from "../../core/result.ts";

/** A key, and from when on it signs. */
export interface IdentityKey {
  /** RFC 7638. */
  readonly keyId: string;
  /** PKCS#8. */
  readonly pem: string;
  /** Milliseconds since the epoch. */
  readonly fromMs: number;
}

/** Its public half, as a JSON Web Key (RFC 7517). */
export interface PublicIdentityKey {
  readonly kty: "RSA";
  readonly use: "sig";
  readonly alg: "RS256";
  readonly kid: string;
  readonly n: string;
  readonly e: string;
}

/** How long verifiers may go by a set of keys that they have fetched, in milliseconds. */
export const OVERLAP_MS = 86_400_000;

/** The key that signs now. */
export function signingKeyAt(keys: readonly IdentityKey[], nowMs: number): IdentityKey | undefined {
  return keys.filter(({ fromMs }) => fromMs <= nowMs).sort((a, b) => b.fromMs - a.fromMs)[0];
}

/** The keys with one more, which signs once everybody has had time to hear of it. */
export function withNextKey(
  keys: readonly IdentityKey[],
  next: Omit<IdentityKey, "fromMs">,
  nowMs: number,
): IdentityKey[] {
  const current = signingKeyAt(keys, nowMs);
  // One that the current key has replaced that long ago verifies nothing that is still alive.
  const kept = keys.filter(({ fromMs }) =>
    current === undefined || fromMs >= current.fromMs || current.fromMs + OVERLAP_MS > nowMs
  );
  return [...kept, { ...next, fromMs: current === undefined ? nowMs : nowMs + OVERLAP_MS }];
}

/** The public half of a key. */
export function publicIdentityKey({ keyId, pem }: Pick<IdentityKey, "keyId" | "pem">) {
  const { n = "", e = "" } = createPublicKey(pem).export({ format: "jwk" });
  const key: PublicIdentityKey = { kty: "RSA", use: "sig", alg: "RS256", kid: keyId, n, e };
  return key;
}

/** Makes a key. */
export async function newIdentityKey(): Promise<Omit<IdentityKey, "fromMs">> {
  const { privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
  const { e, kty, n } = publicIdentityKey({ keyId: "", pem });
  const digest = createHash("sha256").update(JSON.stringify({ e, kty, n })).digest("base64url");
  return { keyId: digest, pem };
}

/** Reads the keys at `path` (mode 0600), or makes the first one. */
export async function loadOrCreateIdentityKeys(
  path: string,
  nowMs: number,
): Promise<Result<readonly IdentityKey[]>> {
  const found = await readIdentityKeys(path);
  if (found.ok || found.error.code !== "KEY_MISSING") return found;
  const keys = withNextKey([], await newIdentityKey(), nowMs);
  const written = await writeIdentityKeys(path, keys, false);
  if (written.ok) return ok(keys);
  // Another process was faster; there is one set of keys.
  return written.error.code === "FILE_EXISTS" ? await readIdentityKeys(path) : written;
}

/** Adds a key that signs in a day; everybody who hosts the documents has to host them anew. */
export async function rotateIdentityKeys(
  path: string,
  nowMs: number,
): Promise<Result<readonly IdentityKey[]>> {
  const found = await loadOrCreateIdentityKeys(path, nowMs);
  if (!found.ok) return found;
  const keys = withNextKey(found.value, await newIdentityKey(), nowMs);
  const written = await writeIdentityKeys(path, keys, true);
  return written.ok ? ok(keys) : written;
}

async function readIdentityKeys(path: string): Promise<Result<readonly IdentityKey[]>> {
  const text = await readPrivateFile(path, "identity keys");
  if (!text.ok) return text;
  const keys = parseIdentityKeys(text.value);
  if (keys !== undefined) return ok(keys);
  return err({
    code: "IDENTITY_KEYS_INVALID",
    message: `Cannot use the identity keys "${path}": they are not what firma wrote there`,
    cure: `restore "${path}" from a backup, or move it away for new keys`,
  });
}

async function writeIdentityKeys(
  path: string,
  keys: readonly IdentityKey[],
  replaces: boolean,
): Promise<Result<void>> {
  const text = `${JSON.stringify({ keys }, undefined, 2)}\n`;
  return await writeNewFiles([{ path, text, secret: true }], replaces);
}

function parseIdentityKeys(text: string): IdentityKey[] | undefined {
  try {
    const { keys } = JSON.parse(text) as { keys: IdentityKey[] };
    const isRight = ({ keyId, pem, fromMs }: IdentityKey) => {
      const { asymmetricKeyType, asymmetricKeyDetails } = createPrivateKey(pem);
      return /^[\w-]{43}$/.test(keyId) && Number.isSafeInteger(fromMs) &&
        asymmetricKeyType === "rsa" && (asymmetricKeyDetails?.modulusLength ?? 0) >= 2048;
    };
    return keys.length > 0 && keys.every(isRight) ? keys : undefined;
  } catch {
    return undefined; // what is wrong with it may quote a key
  }
}
