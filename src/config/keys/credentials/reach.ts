import type { CredentialConfig } from "./credential.ts";
import type { SourceReach } from "./kind.ts";
import { kindOf } from "./kinds.ts";

/** What the broker may touch for one credential. */
export function reachOf({ source }: Pick<CredentialConfig, "source">): Required<SourceReach> {
  const none = { net: [], run: [], read: [], write: [], secretEnv: [], env: [] };
  return { ...none, ...kindOf(source.kind).reach(source.settings) };
}
