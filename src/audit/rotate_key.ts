import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { loadOrCreateSigningKey, newSigningKey, parseSigningKey } from "../pki/signing_key.ts";
import { AuditJournal } from "./journal.ts";
import {
  certificatePath,
  formatCertificate,
  type KeyCertificate,
  readCertificate,
} from "./key_certificate.ts";
import { asLogError } from "./log_fault.ts";
import { writeWhole } from "./write_whole.ts";
import { installNextKey, nextKeyPath, signingKeyFile } from "./signing_key_source.ts";

/** A change of keys, as it is in the log. */
export interface Rotation {
  /** The last line that the old key signed. */
  readonly seq: number;
  /** Raw public keys. */
  readonly from: Uint8Array;
  readonly to: Uint8Array;
  /** Where the public half of the old key lies from now on. */
  readonly retiredFile: string;
}

/** Where the public half of a key lies once the key at `path` is another one. */
export function retiredKeyPath(path: string, publicKey: Uint8Array): string {
  return `${path}.${keyFingerprint(publicKey)}.pub`;
}

/** Short name of a key: the first 8 bytes of it, hex. */
export function keyFingerprint(publicKey: Uint8Array): string {
  return publicKey.subarray(0, 8).toHex();
}

/**
 * Replaces the key at `keyPath` by a new one, in the middle of the log at `logPath`: the old key
 * signs a last line that names its successor, and its private half is deleted. Sidecars that write
 * to the log go on with the new key by themselves. `certify` gets the word of another key for it.
 */
export async function rotateSigningKey(
  { logPath, keyPath, certify }: {
    readonly logPath: string;
    readonly keyPath: string;
    readonly certify?: (publicKey: Uint8Array) => Promise<Result<KeyCertificate>>;
  },
): Promise<Result<Rotation>> {
  const loaded = await loadOrCreateSigningKey(keyPath);
  if (!loaded.ok) return loaded;
  const source = signingKeyFile(keyPath, loaded.value);
  const certificate = (publicKey: Uint8Array) => readCertificate(keyPath, publicKey);
  const journal = new AuditJournal({ file: logPath, key: source, certificate });
  try {
    // First, so that a change that was broken off comes to its end.
    await journal.write([]);
    const { privatePem } = newSigningKey();
    const next = parseSigningKey(`"${nextKeyPath(keyPath)}"`, privatePem);
    if (!next.ok) return next;
    const certified = await certify?.(next.value.publicKey);
    if (certified?.ok === false) return certified;
    let from = loaded.value.publicKey;
    const seq = await journal.handOver(next.value, {
      prepare: (leaving) => {
        from = leaving.publicKey;
        writeWhole(retiredKeyPath(keyPath, from), `${from.toBase64()}\n`, 0o644);
        writeWhole(nextKeyPath(keyPath), privatePem, 0o600);
        if (certified !== undefined) {
          writeWhole(certificatePath(keyPath), formatCertificate(certified.value), 0o644);
        }
      },
      install: () => installNextKey(keyPath, next.value),
    });
    // Opened anew, the log gets the first line of the new key.
    journal.release();
    await journal.write([]);
    await journal.checkpoint(true);
    return ok({ seq, from, to: next.value.publicKey, retiredFile: retiredKeyPath(keyPath, from) });
  } catch (cause) {
    return err(asRotationError(asLogError(logPath, cause)));
  } finally {
    journal.release();
  }
}

function asRotationError(error: FirmaError): FirmaError {
  return {
    ...error,
    cure: error.cure ?? "run firma audit keys rotate again: it ends what it began",
  };
}
