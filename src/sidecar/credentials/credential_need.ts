import type { CredentialNeed } from "../../broker/hand_out.ts";
import type { ContextValue } from "../../core/envelope.ts";
import type { Draft } from "../pipeline/draft.ts";
import { type CredentialTarget, isForCall } from "./request_judge.ts";

/**
 * What a call that policies allow needs; nothing where no credential is for it. No two are: such a
 * `firma.toml` is refused.
 */
export function credentialNeed(
  draft: Draft,
  targets: readonly CredentialTarget[],
): CredentialNeed | undefined {
  const { call, rule, session } = draft;
  if (call === undefined || rule === undefined) return undefined;
  const target = targets.find((each) => isForCall(each, { call, actionClass: rule.actionClass }));
  if (target === undefined) return undefined;
  return {
    label: target.label,
    edition: target.edition,
    host: call.host,
    port: call.port,
    actionClass: rule.actionClass,
    resource: repositoryOf(draft),
    ...subjectOf(call.path),
    sessionId: session.sessionId,
    agentId: session.agentId,
    ...target.signIn ? { purpose: "sign-in" } : target.isInquiry && { purpose: "inquiry" },
  };
}

const SUBJECTS: readonly (readonly [NonNullable<CredentialNeed["subject"]>, RegExp])[] = [
  ["checks", /^(?:check-(?:runs|suites)(?:\/|$)|commits\/.+\/check-(?:runs|suites)$)/],
  ["deployments", /^deployments(?:\/|$)/],
  ["statuses", /^(?:statuses\/|commits\/.+\/status(?:es)?$)/],
];

/** What of a repository GitHub's interface is asked about. A word of ours: paths may hold secrets. */
function subjectOf(path: string): Pick<CredentialNeed, "subject"> {
  const [, rest] = /^(?:\/api\/v3)?\/repos\/[^/]+\/[^/]+\/(.+)$/.exec(path) ?? [];
  const found = rest && SUBJECTS.find(([, pattern]) => pattern.test(rest));
  return found ? { subject: found[0] } : {};
}

/** `owner/repository`, where all that the call does is about that one. */
function repositoryOf({ attributes, operations }: Draft): string {
  const named = operations === undefined
    ? [nameOf(attributes)]
    : operations.map((operation) => nameOf(operation.attributes));
  return named.every((name) => name === named[0]) ? named[0] ?? "" : "";
}

function nameOf(attributes: Readonly<Record<string, ContextValue>> = {}): string {
  const { git_owner: owner, git_repo: repository } = attributes;
  if (typeof owner !== "string" || typeof repository !== "string") return "";
  return owner === "" || repository === "" ? "" : `${owner}/${repository}`;
}
