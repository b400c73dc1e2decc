import { err, ok, type Result } from "../core/result.ts";
import { loadOrCreateSigningKey } from "../pki/signing_key.ts";
import { certificatePath, formatCertificate, type KeyCertificate } from "./key_certificate.ts";
import { readKeyHistory } from "./key_history.ts";
import { writeWhole } from "./write_whole.ts";

/**
 * Has another key vouch for the one at `keyPath`, which is made when it is missing and must not have
 * signed the log at `logPath` yet. Returns its raw public key.
 */
export async function certifySigningKey(
  { logPath, keyPath, certify }: {
    readonly logPath: string;
    readonly keyPath: string;
    readonly certify: (publicKey: Uint8Array) => Promise<Result<KeyCertificate>>;
  },
): Promise<Result<Uint8Array>> {
  const key = await loadOrCreateSigningKey(keyPath);
  if (!key.ok) return key;
  const { publicKey } = key.value;
  const since = await firstLineOf(logPath, publicKey);
  if (since !== undefined) {
    return err({
      code: "KEY_IN_USE",
      message: `Cannot certify the signing key: it has signed the log since line ${since}`,
      cure: "firma audit keys rotate --root <file> -- <command> certifies a new key",
    });
  }
  const certificate = await certify(publicKey);
  if (!certificate.ok) return certificate;
  writeWhole(certificatePath(keyPath), formatCertificate(certificate.value), 0o644);
  return ok(publicKey);
}

async function firstLineOf(logPath: string, publicKey: Uint8Array): Promise<number | undefined> {
  try {
    const periods = await readKeyHistory(logPath);
    return periods.find((period) => period.publicKey === publicKey.toBase64())?.from;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw cause;
  }
}
