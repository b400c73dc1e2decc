import type { KeyObject } from "node:crypto";
import { nodeModule } from "../core/node_module.ts";
import { dirname } from "../core/path.ts";
import { err, ok, type Result } from "../core/result.ts";
import { readPrivateFile } from "./private_file.ts";

/** An Ed25519 key pair (RFC 8032) that this machine signs with. */
export interface SigningKey {
  readonly privateKey: KeyObject;
  /** The same where it could be had without loading `node:crypto`, which `privateKey` then does. */
  readonly webKey?: CryptoKey | undefined;
  /** Raw public key, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Whether this call made the key, as opposed to finding it. */
  readonly created: boolean;
}

/**
 * Reads the Ed25519 key at `path` (PKCS#8 PEM, mode 0600), or makes one when
 * there is none, together with its directory (mode 0700). The public key lies
 * beside it in `<path>.pub`: raw, standard base64, one line.
 *
 * Processes that race for the first use all end with the same key, and none
 * ever sees half of one. A key that somebody else could have read or placed is
 * refused: a wider mode than 0600, another owner, a symbolic link.
 */
export async function loadOrCreateSigningKey(path: string): Promise<Result<SigningKey>> {
  try {
    let created = false;
    let pem = await readPrivateFile(path, "signing key");
    if (!pem.ok && pem.error.code === "KEY_MISSING") {
      created = await createKeyFile(path);
      pem = await readPrivateFile(path, "signing key");
    }
    if (!pem.ok) return pem;
    const name = `"${path}"`;
    const plain = await readPlainKey(name, pem.value);
    const key = plain === undefined ? parseSigningKey(name, pem.value) : ok(plain);
    if (!key.ok) return key;
    await writePublicKeyFile(path, key.value.publicKey);
    return created ? ok(asCreated(key.value)) : key;
  } catch (cause) {
    return err({
      code: "KEY_UNUSABLE",
      message: `Cannot open or create the signing key "${path}": ${reason(cause)}`,
      cure: `make "${dirname(path)}" a directory that you own and can write, then try again`,
      cause,
    });
  }
}

/** Reads a public key file as {@linkcode loadOrCreateSigningKey} writes it. */
export async function readPublicKeyFile(path: string): Promise<Result<Uint8Array>> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (cause) {
    const missing = cause instanceof Deno.errors.NotFound;
    return err({
      code: missing ? "KEY_MISSING" : "KEY_UNUSABLE",
      message: `Cannot read the public key "${path}": ${
        missing ? "there is no such file" : reason(cause)
      }`,
      cause,
    });
  }
  const line = text.trim();
  if (!/^[A-Za-z0-9+/]{43}=$/.test(line)) {
    return err({
      code: "KEY_INVALID",
      message: `Cannot read the public key "${path}": it is not 32 bytes in base64 on one line`,
    });
  }
  return ok(Uint8Array.fromBase64(line));
}

/** Reads an Ed25519 key in PKCS#8 PEM; `name` says in messages where it is from. */
export function parseSigningKey(name: string, pem: string): Result<SigningKey> {
  let key: KeyObject | undefined;
  try {
    key = nodeModule("node:crypto").createPrivateKey(pem);
  } catch {
    key = undefined; // OpenSSL's own text names routines, not the fault
  }
  if (key?.asymmetricKeyType === "ed25519") {
    return ok({ privateKey: key, publicKey: rawPublicKey(key), created: false });
  }
  return err({
    code: "KEY_INVALID",
    message: `Cannot use the signing key ${name}: it is not an Ed25519 key in PKCS#8 PEM`,
    cure: `restore ${name} from a backup, or move it away for a new key`,
  });
}

/** PKCS#8 of an Ed25519 key up to the 32 bytes of the key, as firma and OpenSSL write it (RFC 8410, 7). */
const PLAIN_HEAD = "302e020100300506032b657004220420";
const PLAIN_BYTES = 48;
const PLAIN_PEM =
  /^-----BEGIN PRIVATE KEY-----\n([A-Za-z0-9+/=]{64})\n-----END PRIVATE KEY-----\n?$/;

/** A key in the usual form, without `node:crypto`; `undefined` for any other form. */
async function readPlainKey(name: string, pem: string): Promise<SigningKey | undefined> {
  const text = PLAIN_PEM.exec(pem)?.[1];
  if (text === undefined) return undefined;
  try {
    const der = Uint8Array.fromBase64(text);
    if (der.length !== PLAIN_BYTES || !der.toHex().startsWith(PLAIN_HEAD)) return undefined;
    const readable = await crypto.subtle.importKey("pkcs8", der, "Ed25519", true, ["sign"]);
    const { x } = await crypto.subtle.exportKey("jwk", readable);
    const publicKey = Uint8Array.fromBase64(x ?? "", { alphabet: "base64url" });
    if (publicKey.length !== 32) return undefined;
    const webKey = await crypto.subtle.importKey("pkcs8", der, "Ed25519", false, ["sign"]);
    let privateKey: KeyObject | undefined;
    return {
      get privateKey() {
        if (privateKey !== undefined) return privateKey;
        const key = parseSigningKey(name, pem);
        if (!key.ok) throw new Error(key.error.message);
        return privateKey = key.value.privateKey;
      },
      webKey,
      publicKey,
      created: false,
    };
  } catch {
    return undefined;
  }
}

/** The same key, said to be new. */
function asCreated(key: SigningKey): SigningKey {
  const { webKey, publicKey } = key;
  return {
    get privateKey() {
      return key.privateKey;
    },
    webKey,
    publicKey,
    created: true,
  };
}

/** The Ed25519 signature (RFC 8032) of a message, for a few of them: without `node:crypto` if it can. */
export async function signWith(
  key: SigningKey,
  message: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array> {
  const { webKey } = key;
  if (webKey === undefined) return nodeModule("node:crypto").sign(null, message, key.privateKey);
  return new Uint8Array(await crypto.subtle.sign("Ed25519", webKey, message));
}

function rawPublicKey(privateKey: KeyObject): Uint8Array {
  const jwk = nodeModule("node:crypto").createPublicKey(privateKey).export({ format: "jwk" });
  return new Uint8Array(Uint8Array.fromBase64(jwk.x ?? "", { alphabet: "base64url" }));
}

/** Makes a key, in the texts of its two files as {@linkcode loadOrCreateSigningKey} reads them. */
export function newSigningKey(): { readonly privatePem: string; readonly publicLine: string } {
  const { privateKey } = nodeModule("node:crypto").generateKeyPairSync("ed25519");
  return {
    privatePem: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
    publicLine: `${rawPublicKey(privateKey).toBase64()}\n`,
  };
}

/** Returns whether this process won the race to create the file. */
async function createKeyFile(path: string): Promise<boolean> {
  await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = await writeDraft(path, newSigningKey().privatePem, 0o600);
  try {
    // A hard link appears whole or not at all, and never replaces a key that another process made.
    await Deno.link(draft, path);
    return true;
  } catch (cause) {
    if (cause instanceof Deno.errors.AlreadyExists) return false;
    throw cause;
  } finally {
    await Deno.remove(draft);
  }
}

/** Puts a public key beside the place of its private half, `path`. */
export async function writePublicKeyFile(path: string, publicKey: Uint8Array): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const target = `${path}.pub`;
  const present = await readPublicKeyFile(target);
  if (present.ok && present.value.every((byte, i) => byte === publicKey[i])) return;
  const draft = await writeDraft(target, `${publicKey.toBase64()}\n`, 0o644);
  await Deno.rename(draft, target);
}

async function writeDraft(target: string, text: string, mode: number): Promise<string> {
  const draft = `${target}.${crypto.randomUUID()}`;
  using file = await Deno.open(draft, { write: true, createNew: true, mode });
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
  await file.sync();
  return draft;
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
