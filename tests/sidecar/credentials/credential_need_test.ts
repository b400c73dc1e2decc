import assert from "node:assert/strict";
import { permissionsFor } from "../../../src/broker/providers/github_app/permissions.ts";
import { parseActionClass } from "../../../src/core/action_class.ts";
import { credentialNeed } from "../../../src/sidecar/credentials/credential_need.ts";
import type { Draft } from "../../../src/sidecar/pipeline/draft.ts";

const TARGET = {
  label: "github",
  edition: "1",
  hosts: [{ host: "api.github.com", port: 443 }],
  paths: [],
  actionClasses: [],
  header: "authorization",
};

function needOf(path: string, actionClass = "code.read") {
  const draft = {
    call: { scheme: "https", host: "api.github.com", port: 443, method: "GET", path, query: "" },
    rule: { actionClass: parseActionClass(actionClass) },
    session: { sessionId: "ses_1", agentId: "agt_1" },
    attributes: { git_owner: "acme", git_repo: "app" },
  } as unknown as Draft; // the members that it looks at
  return credentialNeed(draft, [TARGET]);
}

Deno.test("credentialNeed() says what of a repository is asked for, and a token has the permission for that", () => {
  const cases: Record<string, Readonly<Record<string, string>>> = {
    "/repos/acme/app/check-runs/1": { checks: "read" },
    "/repos/acme/app/commits/a/b/check-suites": { checks: "read" },
    "/repos/acme/app/commits/main/status": { statuses: "read" },
    "/repos/acme/app/deployments": { deployments: "read" },
    "/repos/acme/app/commits/main": { contents: "read" },
    "/repos/acme/app/contents/check-runs/commits/x/check-runs": { contents: "read" },
    "/repos/acme/app/contents/deployments": { contents: "read" },
    "/orgs/acme/app/x/check-runs/1": { contents: "read" },
  };
  for (const [path, permissions] of Object.entries(cases)) {
    const need = needOf(path)!;
    assert.deepEqual(permissionsFor(need.actionClass, need.subject), permissions, path);
    assert.ok(!JSON.stringify(need).includes(path), "paths may hold secrets");
  }
  const writing = needOf("/repos/acme/app/check-runs/1", "ci.report")!;
  assert.deepEqual(permissionsFor(writing.actionClass, writing.subject), {
    checks: "write",
    statuses: "write",
  });
});
