import { generateKeyPairSync, type KeyObject } from "node:crypto";
import type { CapabilityClaims } from "../../src/core/capability.ts";
import { newId } from "../../src/core/id.ts";

/** A time at which the tokens of {@linkcode claims} are valid. */
export const NOW = Date.parse("2030-01-01T00:30:00Z");

/** Claims of a token that covers everything for an hour, but for what `special` says. */
export function claims(special: Partial<CapabilityClaims> = {}): CapabilityClaims {
  return {
    token_id: newId("ctok"),
    agent_id: newId("agt"),
    session_id: newId("ses"),
    action_set: ["code.read"],
    resource_scope: ["**"],
    issued_at: "2030-01-01T00:00:00Z",
    expiry: "2030-01-01T01:00:00Z",
    context_hash: "",
    policy_bundle_version: "0123456789abcdef",
    ...special,
  };
}

/** A fresh Ed25519 key pair; the public key raw. */
export function keyPair(): { privateKey: KeyObject; publicKey: Uint8Array } {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const { x } = publicKey.export({ format: "jwk" });
  return { privateKey, publicKey: Uint8Array.fromBase64(x!, { alphabet: "base64url" }) };
}
