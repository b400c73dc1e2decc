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
  if (!since.ok) return since;
  if (since.value !== undefined) {
    return err({
      code: "KEY_IN_USE",
      message: `Cannot certify the signing key: it has signed the log since line ${since.value}`,
      cure: "firma audit keys rotate --root <file> -- <command> certifies a new key",
    });
  }
  const certificate = await certify(publicKey);
  if (!certificate.ok) return certificate;
  writeWhole(certificatePath(keyPath), formatCertificate(certificate.value), 0o644);
  return ok(publicKey);
}

async function firstLineOf(
  logPath: string,
  publicKey: Uint8Array,
): Promise<Result<number | undefined>> {
  const periods = await readKeyHistory(logPath);
  if (periods.ok) {
    return ok(periods.value.find((period) => period.publicKey === publicKey.toBase64())?.from);
  }
  // Nothing has been signed with any key yet.
  return periods.error.cause instanceof Deno.errors.NotFound ? ok(undefined) : periods;
}
