import { sha256 } from "../core/sha256.ts";

/** Characters of a pre-shared key at least: of a shorter one the digest would not keep it secret. */
export const SHORTEST_KEY = 32;

/** What a Sidecar shows to an Authority, beside its certificate. */
export interface SidecarCredentials {
  readonly workspaceId: string;
  readonly sidecarId: string;
  /** Secret. */
  readonly preSharedKey: string;
}

/** SHA-256 of a pre-shared key, in hex: what an Authority keeps of it. */
export function preSharedKeyDigest(key: string): string {
  return sha256(key);
}
