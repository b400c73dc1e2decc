import { readPrivateFileSync } from "../pki/private_file.ts";
import { parseSigningKey, type SigningKey } from "../pki/signing_key.ts";
import { isSignedBy, parseLine } from "./verify_line.ts";

/**
 * Gives the key that signs the next line, and what to say of it first. Asked with the log locked,
 * so that no process signs with a key that another one has just replaced.
 */
export type SigningKeySource = (lastLine: Uint8Array | undefined) => SigningKey;

/** Where the next key waits until the log says that it is in force. */
export function nextKeyPath(path: string): string {
  return `${path}.next`;
}

/**
 * The key in the file at `path`, as long as nobody replaces it: then the new one. Brings a change
 * of keys to its end that was broken off after the log had recorded it. The source throws where the
 * new key cannot be used.
 */
export function signingKeyFile(path: string, loaded: SigningKey): SigningKeySource {
  let key = loaded;
  let mark = fileMark(path);
  return (lastLine) => {
    if (lastLine !== undefined && fileMark(nextKeyPath(path)) !== undefined) {
      finishRotation(path, key, lastLine);
    }
    const now = fileMark(path);
    // A key that is gone signs on until the end of this process; the next one makes a new one.
    if (now === mark || now === undefined) return key;
    key = readKey(path);
    mark = now;
    return key;
  };
}

/** Replaces the key file by the next one, if the last line of the log hands over to that. */
function finishRotation(path: string, key: SigningKey, lastLine: Uint8Array): void {
  if (!isSignedBy(lastLine, key.publicKey)) return;
  const line = parseLine(lastLine);
  if (!line.ok || line.value.members.change !== "handed_over") return;
  const next = readKey(nextKeyPath(path));
  if (line.value.members.next_public_key === next.publicKey.toBase64()) installNextKey(path, next);
}

/** Puts the next key in the place of the one in force. */
export function installNextKey(path: string, next: SigningKey): void {
  const draft = `${path}.pub.${crypto.randomUUID()}`;
  Deno.writeTextFileSync(draft, `${next.publicKey.toBase64()}\n`, { createNew: true, mode: 0o644 });
  Deno.renameSync(nextKeyPath(path), path);
  Deno.renameSync(draft, `${path}.pub`);
}

function readKey(path: string): SigningKey {
  const pem = readPrivateFileSync(path, "signing key");
  if (!pem.ok) throw new Error(pem.error.message);
  const key = parseSigningKey(`"${path}"`, pem.value);
  if (!key.ok) throw new Error(key.error.message);
  return key.value;
}

/** Changes whenever another file is put there. */
function fileMark(path: string): string | undefined {
  try {
    const { ino, ctime, size } = Deno.lstatSync(path);
    return `${ino} ${ctime?.getTime()} ${size}`;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw cause;
  }
}
