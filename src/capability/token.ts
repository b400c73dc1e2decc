import type { KeyObject } from "node:crypto";
import * as v from "valibot";
import { parseActionClass } from "../core/action_class.ts";
import type { CapabilityClaims } from "../core/capability.ts";
import { isId } from "../core/id.ts";
import { err, ok, type Result } from "../core/result.ts";
import { parseTimestamp } from "../core/timestamp.ts";
import { signPaseto, verifyPaseto } from "./paseto.ts";

/** Stands in an action set for every action class. */
export const ANY_ACTION = "*";

const timestamp = v.pipe(v.string(), v.check((text) => parseTimestamp(text) !== undefined));
const action = v.pipe(
  v.string(),
  v.check((name) => name === ANY_ACTION || parseActionClass(name) !== undefined),
);

// A claim that this version does not know may be a restriction, so there must be none.
const Claims = v.strictObject({
  token_id: v.pipe(v.string(), v.check((id) => isId("ctok", id))),
  agent_id: v.pipe(v.string(), v.nonEmpty()),
  session_id: v.pipe(v.string(), v.nonEmpty()),
  action_set: v.pipe(v.array(action), v.nonEmpty()),
  resource_scope: v.pipe(v.array(v.pipe(v.string(), v.nonEmpty())), v.nonEmpty()),
  issued_at: timestamp,
  expiry: timestamp,
  context_hash: v.string(),
  policy_bundle_version: v.string(),
});

/** Makes a capability token: PASETO v4.public without footer and implicit assertion. */
export async function issueToken(claims: CapabilityClaims, privateKey: KeyObject): Promise<string> {
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
  const parsed = v.safeParse(Claims, verified.value);
  if (parsed.success) return ok(parsed.output);
  const [issue] = parsed.issues;
  const claim = v.getDotPath(issue) ?? "claims";
  return err({
    code: "TOKEN_INVALID",
    message: `Cannot use the capability token: claim "${claim}" is missing, unknown or not valid`,
  });
}
