import { parseToml } from "../config/toml.ts";
import type { CapabilityClaims } from "../core/capability.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { parseTimestamp } from "../core/timestamp.ts";
import { verifyToken } from "./token.ts";

/** A token that was issued beforehand, with what it says. */
export interface CapabilitySeed {
  readonly token: string;
  readonly claims: CapabilityClaims;
}

const TOKEN = "raw_token";
const TIMES = new Set(["issued_at", "expiry"]);
/** In the order in which they are written. */
const CLAIMS: readonly (keyof CapabilityClaims)[] = [
  "token_id",
  "agent_id",
  "session_id",
  "action_set",
  "resource_scope",
  "issued_at",
  "expiry",
  "context_hash",
  "policy_bundle_version",
];

/**
 * The text of a seed file: the token, and its claims for people to read. The
 * file is a secret, because whoever has it can act as the agent.
 */
export function formatSeed({ token, claims }: CapabilitySeed): string {
  // A JSON string or array of strings without control characters is one of TOML too.
  const lines = CLAIMS.map((name) => `${name} = ${JSON.stringify(claims[name])}`);
  return [
    "# A capability token. Keep it secret: whoever has it can act as the agent until it expires.",
    `${TOKEN} = ${JSON.stringify(token)}`,
    ...lines,
    "",
  ].join("\n");
}

/**
 * Reads a seed file and verifies its token under the Authority's public key (raw
 * Ed25519, 32 bytes). What stands beside the token must say what the token says:
 * people decide by that. Whether it has expired is looked at here as well.
 */
export async function readSeed(
  text: string,
  file: string,
  publicKey: Uint8Array,
  nowMs: number,
): Promise<Result<CapabilitySeed>> {
  const document = parseToml(text, file);
  if (!document.ok) return document;
  const { root, locate } = document.value;
  const refuse = (field: string, state: string) =>
    err<FirmaError>({
      code: "SEED_INVALID",
      message: `Cannot use the capability file "${file}": "${field}" ${state}`,
      cure: "firma authority issue writes a new one",
      at: locate([field]) ?? { file },
    });
  const token = root[TOKEN];
  if (typeof token !== "string") return refuse(TOKEN, "is missing or not a string");
  const verified = await verifyToken(token, publicKey);
  if (!verified.ok) return refuse(TOKEN, "is not a token of this Authority");
  const claims = verified.value;
  for (const name of CLAIMS) {
    if (!Object.hasOwn(root, name)) return refuse(name, "is missing");
    if (!says(name, root[name], claims[name])) {
      return refuse(name, "is not what the token says; the file was edited");
    }
  }
  const unknown = Object.keys(root).find((name) =>
    name !== TOKEN && !CLAIMS.some((claim) => claim === name)
  );
  if (unknown !== undefined) return refuse(unknown, "is not known here");
  const expiryMs = parseTimestamp(claims.expiry);
  if (expiryMs === undefined || expiryMs <= nowMs) return refuse("expiry", "is over");
  return ok({ token, claims });
}

function says(name: keyof CapabilityClaims, written: unknown, claim: unknown): boolean {
  if (!TIMES.has(name)) return JSON.stringify(written) === JSON.stringify(claim);
  // A time may be written with another offset, or as a time of TOML.
  const text = written instanceof Date ? written.toISOString() : written;
  return typeof text === "string" && parseTimestamp(text) !== undefined &&
    parseTimestamp(text) === parseTimestamp(String(claim));
}
