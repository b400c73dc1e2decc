import type { NeedSubject } from "../../hand_out.ts";

/** How far a permission of a GitHub App goes. */
export type Access = "read" | "write";

/** Permissions of an installation token, by GitHub's names for them. */
export type Permissions = Readonly<Record<string, Access>>;

/**
 * What each action class needs at GitHub and nothing beyond it. GitHub adds `metadata: read` by
 * itself. A class that is not here gets no token: those that reach past one repository, such as
 * `org.admin`, cannot have one that is narrow; those that make or open something that outlives the
 * call, such as `credential.mint`, are for a person; those of an operator's own are not known.
 */
const NEEDS: Readonly<Record<string, Permissions>> = {
  "account.read": { metadata: "read" },
  "branch.protection": { administration: "write" },
  "ci.approve": { actions: "write", deployments: "write" },
  "ci.config": { actions: "write" },
  "ci.delete": { actions: "write" },
  "ci.read": { actions: "read" },
  "ci.report": { checks: "write", statuses: "write" },
  "ci.run": { actions: "write" },
  "code.destructive": { contents: "write" },
  "code.export": { contents: "read" },
  "code.merge": { contents: "write" },
  "code.read": { contents: "read" },
  "code.review.read": { pull_requests: "read" },
  // Who opens one between two branches has to see them.
  "code.review.request": { contents: "read", pull_requests: "write" },
  "code.review.submit": { pull_requests: "write" },
  "code.search": { contents: "read" },
  // Not `workflows`: what would change a pipeline by a push is refused by GitHub.
  "code.write": { contents: "write" },
  "content.delete": { contents: "write" },
  "content.write": { contents: "write" },
  "deploy.config": { environments: "write" },
  "deploy.delete": { deployments: "write" },
  "deploy.write": { deployments: "write" },
  "issue.read": { issues: "read" },
  "issue.write": { issues: "write" },
  "meta.read": { metadata: "read" },
  "project.write": { repository_projects: "write" },
  "release.delete": { contents: "write" },
  "release.write": { contents: "write" },
  "repo.admin": { administration: "write" },
  "repo.settings.read": { repository_hooks: "read" },
  "secret.write": { secrets: "write" },
  "security.alert.read": { security_events: "read" },
  "security.alert.write": { security_events: "write" },
  "security.report": { security_events: "write" },
  "security.secret.read": { secret_scanning_alerts: "read" },
  "webhook.write": { repository_hooks: "write" },
};

/** What reading parts of a repository takes, which are as much `code.read` as its files. */
const READS: Readonly<Record<NeedSubject, Permissions>> = {
  checks: { checks: "read" },
  deployments: { deployments: "read" },
  statuses: { statuses: "read" },
};

/** The permissions that calls of a class need, or `undefined` when there is no token for them. */
export function permissionsFor(
  actionClass: string,
  subject?: NeedSubject,
): Permissions | undefined {
  if (subject !== undefined && actionClass === "code.read") return READS[subject];
  return Object.hasOwn(NEEDS, actionClass) ? NEEDS[actionClass] : undefined;
}

/** The classes that {@linkcode permissionsFor} knows. */
export function coveredClasses(): readonly string[] {
  return Object.keys(NEEDS);
}

/** As people write them: `contents:read, issues:write`. */
export function permissionsText(permissions: Permissions): string {
  return Object.entries(permissions).map((each) => each.join(":")).sort().join(", ");
}
