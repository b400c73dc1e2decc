import type { Denial, SessionView, Stage } from "./draft.ts";

/** What the Authority has told so far; the members may change between calls. */
export interface Readiness {
  /** Absent until the first bundle, and when there is no policy any more. */
  readonly bundle: { readonly freshUntilMs: number } | undefined;
  /** Absent until the Authority sent the list, and when it cannot be heard and that matters. */
  readonly revoked: ReadonlySet<string> | undefined;
}

/** What is wrong with policies that nobody vouches for any more. */
export const STALE = "the Authority has not renewed the policy bundle";

/** What is wrong while nobody says which tokens are revoked. */
export const NO_REVOCATIONS = "no revocation list from the Authority";

/** Denies while there is no policy, or none that the Authority still vouches for. */
export function readiness(current: () => Readiness): Stage {
  return ({ session, nowMs }) => unready(current(), session, nowMs);
}

/** Why nothing of a session can be decided now. */
export function unready(
  { bundle, revoked }: Readiness,
  session: Pick<SessionView, "ended">,
  nowMs: number,
): Denial | undefined {
  if (session.ended) return { reason: "TokenInvalid", detail: "the session has ended" };
  if (revoked === undefined) {
    return { reason: "RevocationCacheNotReady", detail: NO_REVOCATIONS };
  }
  if (bundle === undefined) {
    return { reason: "PolicyBundleNotReady", detail: "no policy bundle in force" };
  }
  if (nowMs > bundle.freshUntilMs) return { reason: "PolicyBundleStale", detail: STALE };
}
