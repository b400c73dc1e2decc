import type { CredentialConfig } from "./credential.ts";
import type { SourceReach } from "./kind.ts";
import { kindOf } from "./kinds.ts";

/** Files that decide what a credential is: who could write one of them would be given another. */
export function filesOf(credential: Pick<CredentialConfig, "source">): string[] {
  return [...reachOf(credential).read, ...programsOf(credential)];
}

/** Helper programs that the broker runs for a credential, and what they are told to read. */
export function programsOf(credential: Pick<CredentialConfig, "source">): string[] {
  const { kind, settings } = credential.source;
  // That may be a program, too: `python3 /home/you/app/token.py`.
  const given = kind === "command"
    ? settings.command.slice(1).flatMap((word) => /^(?:[^/\s]*=)?(\/.*)$/.exec(word)?.[1] ?? [])
    : [];
  return [...reachOf(credential).run, ...given];
}

/** What the broker may touch for one credential. */
export function reachOf({ source }: Pick<CredentialConfig, "source">): Required<SourceReach> {
  const none = { net: [], run: [], read: [], write: [], secretEnv: [], env: [] };
  return { ...none, ...kindOf(source.kind).reach(source.settings) };
}
