import { sha256 } from "../../../core/sha256.ts";
import type { CredentialConfig } from "./credential.ts";

/**
 * What tells a credential from all others that ever had its name. Whoever wants one says which it
 * means, so that nobody gets what another `firma.toml` has under that name. No secret is in it.
 */
export function editionOf(credential: CredentialConfig): string {
  return sha256(JSON.stringify(credential)).slice(0, 32);
}
