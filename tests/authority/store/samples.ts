import { newId } from "../../../src/core/id.ts";
import type { BundleContent, IssuedToken } from "../../../src/authority/store/store.ts";

/** How long the tokens of these tests live, in milliseconds. */
export const MAX_TTL_MS = 3_600_000;

/** A token of a session. */
export function token(sessionId: string, agentId: string = newId("agt")): IssuedToken {
  const now = Date.now();
  return {
    tokenId: newId("ctok"),
    agentId,
    sessionId,
    issuedAt: new Date(now).toISOString(),
    expiry: new Date(now + MAX_TTL_MS).toISOString(),
  };
}

/** A bundle with one file. */
export function bundle(version: string): BundleContent {
  const policies = [{ file: "a.cedar", text: `// ${version}` }];
  return { version, policies, schema: "", ttlSeconds: 30 };
}
