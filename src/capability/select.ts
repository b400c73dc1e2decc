import { ANY_ACTION, type CapabilityClaims } from "../core/capability.ts";
import type { DenyReason } from "../core/decision.ts";
import { err, ok, type Result } from "../core/result.ts";
import { parseTimestamp } from "../core/timestamp.ts";
import { matchScope } from "../mapping/scope.ts";

/** What decides whether a token is valid at all. */
export interface CurrentDemand {
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** Identifiers of revoked tokens. */
  readonly revoked: ReadonlySet<string>;
  /**
   * How far the clocks of Authority and Sidecar may differ, in milliseconds.
   * @default {0}
   */
  readonly clockSkewMs?: number | undefined;
}

/** The call that a token is wanted for. */
export interface TokenDemand extends CurrentDemand {
  /** The action class and its parents, finest first. */
  readonly actionLineage: readonly string[];
  /**
   * Canonical, with `:<port>` unless it is the default of the scheme. `undefined` for what happens
   * on this machine: scopes name what is elsewhere.
   */
  readonly host: string | undefined;
  /** Canonical. */
  readonly path: string;
}

const EXACT_ACTION = 100;
const PARENT_ACTION = 50;
const WILDCARD_ACTION = 10;
const SPECIFIC_SCOPE = 50;
const WILDCARD_SCOPE = 1;
const EVERYTHING = "**";

/**
 * Chooses the token that covers a call most closely: the action itself before a
 * parent of it before `*`, and a scope that names the resource before `**`. Among
 * equals the one with fewer actions, then the one issued last.
 *
 * Only tokens that are valid now take part. When none is left, the error is what
 * stood in the way of those that came closest.
 */
export function selectToken(
  tokens: readonly CapabilityClaims[],
  demand: TokenDemand,
): Result<CapabilityClaims, DenyReason> {
  let failure: DenyReason = "TokenInvalid";
  let best: CapabilityClaims | undefined;
  let bestScore = 0;
  for (const token of tokens) {
    const action = actionScore(token, demand);
    const scope = scopeScore(token, demand);
    const obstacle = action === 0
      ? "ToolNotInScope"
      : scope === 0
      ? "ScopeViolation"
      : currentObstacle(token, demand);
    if (obstacle !== undefined) {
      failure = closer(failure, obstacle);
      continue;
    }
    const score = action + scope;
    if (best === undefined || score > bestScore || score === bestScore && precedes(token, best)) {
      best = token;
      bestScore = score;
    }
  }
  return best === undefined ? err(failure) : ok(best);
}

/** A token that is valid now, whatever it covers; otherwise what stands in the way. */
export function currentToken(
  tokens: readonly CapabilityClaims[],
  demand: CurrentDemand,
): Result<CapabilityClaims, DenyReason> {
  let failure: DenyReason = "TokenInvalid";
  for (const token of tokens) {
    const obstacle = currentObstacle(token, demand);
    if (obstacle === undefined) return ok(token);
    failure = closer(failure, obstacle);
  }
  return err(failure);
}

function actionScore({ action_set }: CapabilityClaims, { actionLineage }: TokenDemand): number {
  const [exact, ...parents] = actionLineage;
  if (exact === undefined) return 0;
  if (action_set.includes(exact)) return EXACT_ACTION;
  if (parents.some((parent) => action_set.includes(parent))) return PARENT_ACTION;
  return action_set.includes(ANY_ACTION) ? WILDCARD_ACTION : 0;
}

function scopeScore({ resource_scope }: CapabilityClaims, { host, path }: TokenDemand): number {
  if (host === undefined) return WILDCARD_SCOPE;
  let score = 0;
  for (const pattern of resource_scope) {
    if (!matchScope(pattern, host, path)) continue;
    if (pattern !== EVERYTHING) return SPECIFIC_SCOPE;
    score = WILDCARD_SCOPE;
  }
  return score;
}

function currentObstacle(
  token: CapabilityClaims,
  { nowMs, revoked, clockSkewMs = 0 }: CurrentDemand,
): DenyReason | undefined {
  if (revoked.has(token.token_id)) return "TokenRevoked";
  const { from, until } = validityOf(token);
  if (from === undefined || until === undefined || nowMs + clockSkewMs < from) {
    return "TokenInvalid";
  }
  return nowMs - clockSkewMs >= until ? "TokenExpired" : undefined;
}

interface Validity {
  readonly from: number | undefined;
  readonly until: number | undefined;
}

/** Parsed once for each token, which never changes. */
const validities = new WeakMap<CapabilityClaims, Validity>();

function validityOf(token: CapabilityClaims): Validity {
  let validity = validities.get(token);
  if (validity === undefined) {
    validity = { from: parseTimestamp(token.issued_at), until: parseTimestamp(token.expiry) };
    validities.set(token, validity);
  }
  return validity;
}

// The further a token got, the more its failure tells the operator.
const CLOSENESS: readonly DenyReason[] = [
  "TokenInvalid",
  "ToolNotInScope",
  "ScopeViolation",
  "TokenExpired",
  "TokenRevoked",
];

function closer(a: DenyReason, b: DenyReason): DenyReason {
  return CLOSENESS.indexOf(a) >= CLOSENESS.indexOf(b) ? a : b;
}

function precedes(a: CapabilityClaims, b: CapabilityClaims): boolean {
  if (a.action_set.length !== b.action_set.length) {
    return a.action_set.length < b.action_set.length;
  }
  const [issuedA, issuedB] = [validityOf(a).from!, validityOf(b).from!];
  return issuedA !== issuedB ? issuedA > issuedB : a.token_id > b.token_id;
}
