/** What is known of the programs of secret stores. */
import { BITWARDEN, BITWARDEN_SECRETS } from "./presets/bitwarden.ts";
import { AWS, AZURE, DOPPLER, GCLOUD, SECRET_TOOL } from "./presets/clouds.ts";
import { ONE_PASSWORD } from "./presets/one_password.ts";
import { GOPASS, PASS } from "./presets/pass.ts";
import { VAULT } from "./presets/vault.ts";
import type { StoreProgram } from "./store_command.ts";

/** By the word that `firma.toml` has for them. */
export const PROGRAM_PRESETS = {
  op: ONE_PASSWORD,
  bws: BITWARDEN_SECRETS,
  bw: BITWARDEN,
  vault: VAULT,
  pass: PASS,
  gopass: GOPASS,
  aws: AWS,
  gcloud: GCLOUD,
  az: AZURE,
  doppler: DOPPLER,
  "secret-tool": SECRET_TOOL,
} as const satisfies Readonly<Record<string, StoreProgram>>;

/** The word for a program. */
export type ProgramPreset = keyof typeof PROGRAM_PRESETS;
