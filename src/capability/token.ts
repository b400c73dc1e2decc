import type { KeyObject } from "node:crypto";
import { parseActionClass } from "../core/action_class.ts";
import { ANY_ACTION, type CapabilityClaims } from "../core/capability.ts";
import { isId } from "../core/id.ts";
import { err, ok, type Result } from "../core/result.ts";
import { parseTimestamp } from "../core/timestamp.ts";
import { signPaseto, verifyPaseto } from "./paseto.ts";

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string";
const isFilled: Check = (value) => isText(value) && value !== "";
const isTime: Check = (value) => typeof value === "string" && parseTimestamp(value) !== undefined;
const isAction: Check = (value) =>
  typeof value === "string" && (value === ANY_ACTION || parseActionClass(value) !== undefined);
const someOf = (check: Check): Check => (value) =>
  Array.isArray(value) && value.length > 0 && value.every(check);

/** By hand, because every start of a data plane would wait for a schema library. */
const CLAIMS: Readonly<Record<keyof CapabilityClaims, Check>> = {
  token_id: (value) => typeof value === "string" && isId("ctok", value),
  agent_id: isFilled,
  session_id: isFilled,
  action_set: someOf(isAction),
  resource_scope: someOf(isFilled),
  issued_at: isTime,
  expiry: isTime,
  context_hash: isText,
  policy_bundle_version: isText,
};

/** The first claim that is not as it has to be. */
function wrongClaim(claims: Readonly<Record<string, unknown>>): string | undefined {
  return Object.entries(CLAIMS).find(([name, check]) =>
    !Object.hasOwn(claims, name) || !check(claims[name])
  )?.[0] ??
    // A claim that this version does not know may be a restriction, so there must be none.
    Object.keys(claims).find((name) => !Object.hasOwn(CLAIMS, name));
}

/** Makes a capability token: PASETO v4.public without footer and implicit assertion. */
export async function issueToken(
  claims: CapabilityClaims,
  privateKey: KeyObject | CryptoKey,
): Promise<string> {
  return await signPaseto({ ...claims }, privateKey);
}

/**
 * Returns the claims of a capability token that the holder of `publicKey` (raw
 * Ed25519, 32 bytes) issued. Whether it has expired or is revoked is for each
 * use to say, see `selectToken`.
 */
export async function verifyToken(
  token: string,
  publicKey: Uint8Array,
): Promise<Result<CapabilityClaims>> {
  const verified = await verifyPaseto(token, publicKey);
  if (!verified.ok) return verified;
  const claim = wrongClaim(verified.value);
  if (claim === undefined) return ok(verified.value as unknown as CapabilityClaims);
  return err({
    code: "TOKEN_INVALID",
    message: `Cannot use the capability token: claim "${claim}" is missing, unknown or not valid`,
  });
}
