import { SHORTEST_KEY, type SidecarCredentials } from "../authority/pre_shared_key.ts";
import type { CredentialsConfig } from "../config/keys/sidecar_credentials.ts";
import type { Environment } from "../config/paths.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { readPrivateFile } from "../pki/private_file.ts";

/** Reads what an Authority is shown. No error has the secret in it. */
export async function readCredentials(
  { workspaceId, sidecarId, key }: CredentialsConfig,
  env: Environment,
): Promise<Result<SidecarCredentials>> {
  const where = key.from === "file" ? `"${key.path}"` : `the variable ${key.variable}`;
  const read = key.from === "file"
    ? await readPrivateFile(key.path, "pre-shared key")
    : ok(env[key.variable] ?? "");
  if (!read.ok) return read;
  // A file ends in a line feed as a rule.
  const preSharedKey = read.value.trim();
  if (preSharedKey === "") return err(fault(where, "value is empty"));
  if (preSharedKey.length < SHORTEST_KEY) {
    return err(fault(where, `value is shorter than ${SHORTEST_KEY} characters`));
  }
  return ok({ workspaceId, sidecarId, preSharedKey });
}

function fault(where: string, state: string): FirmaError {
  return {
    code: "PRE_SHARED_KEY_INVALID",
    message: `Cannot use the pre-shared key of ${where}: ${state}`,
    cure: "put a secret there that openssl rand -hex 32 makes, and its digest at the Authority",
  };
}
