import { readCertificate } from "../audit/key_certificate.ts";
import type { JournalOptions } from "../audit/journal.ts";
import { signingKeyFile } from "../audit/signing_key_source.ts";
import { auditKeyFile, type Environment } from "../config/paths.ts";
import type { FirmaConfig } from "../config/schema.ts";
import { err, ok, type Result } from "../core/result.ts";
import {
  loadOrCreateSigningKey,
  parseSigningKey,
  type SigningKey,
  writePublicKeyFile,
} from "../pki/signing_key.ts";

/** What signs the audit log. */
export interface AuditKey extends Pick<JournalOptions, "key" | "certificate"> {
  /** Raw public key, as it is now. */
  readonly publicKey: Uint8Array;
}

/**
 * The key that the configuration names, else the user's own, which is made when it is missing.
 * Wherever the key is, its public half is put into the user's `keys/audit.key.pub`.
 */
export async function openAuditKey(
  { signingKeyPath, signingKeyEnv }: FirmaConfig["sidecar"]["audit"],
  env: Environment,
): Promise<Result<AuditKey>> {
  const usual = auditKeyFile(env);
  if (signingKeyEnv !== undefined && signingKeyPath !== undefined) {
    return err({
      code: "CONFIG_INVALID",
      message: "Cannot choose the signing key: there is a signing_key_path and a signing_key_env",
      cure: "remove one of them from [sidecar.audit]",
    });
  }
  if (signingKeyEnv !== undefined) {
    const key = keyFromVariable(signingKeyEnv, env);
    if (!key.ok) return key;
    await writePublicKeyFile(usual, key.value.publicKey);
    return ok({ key: key.value, publicKey: key.value.publicKey });
  }
  const path = signingKeyPath ?? usual;
  const loaded = await loadOrCreateSigningKey(path);
  if (!loaded.ok) return loaded;
  if (path !== usual) await writePublicKeyFile(usual, loaded.value.publicKey);
  return ok({
    key: signingKeyFile(path, loaded.value),
    publicKey: loaded.value.publicKey,
    certificate: (publicKey) => readCertificate(path, publicKey),
  });
}

function keyFromVariable(name: string, env: Environment): Result<SigningKey> {
  const pem = env[name];
  if (pem !== undefined && pem !== "") return parseSigningKey(`in ${name}`, pem);
  return err({
    code: "KEY_MISSING",
    message: `Cannot read the signing key: the variable "${name}" is not set`,
    cure: "set it to an Ed25519 key in PKCS#8 PEM, or remove signing_key_env",
  });
}
