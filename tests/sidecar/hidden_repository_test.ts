/**
 * Attack: a policy keeps the agent out of one repository, or within one, and the agent names
 * that repository in a way that firma cannot read: by number, by node identifier, by a pull
 * request. Beside each attack is the same call by name, to show that the policy is what
 * decides.
 */
import assert from "node:assert/strict";
import { packNames } from "../../src/config/packs.ts";
import { shippedMappings } from "../../src/cli/policy/project.ts";
import { parseRequestLine } from "../../src/mapping/request_line.ts";
import { Explainer } from "../../src/sidecar/explain.ts";
import { bundle } from "../policy/support.ts";

const MAPPING = shippedMappings(packNames("mapping").filter((name) => name !== "custom"));

function explainer(policies: string): Explainer {
  const created = Explainer.create({ mapping: MAPPING, bundle: bundle(policies) });
  if (!created.ok) assert.fail(JSON.stringify(created.error));
  return created.value;
}

const KEEP_OUT = explainer(`
@id("all") permit (principal, action, resource);
@id("vault") forbid (principal, action, resource)
when {
  context has git_owner && context has git_repo &&
  context.git_owner == "acme" && context.git_repo == "vault"
};
`);
const KEEP_REF = explainer(`
@id("all") permit (principal, action, resource);
@id("main") forbid (principal, action, resource)
when { context has git_ref && context.git_ref == "refs/heads/main" };
`);
const BLIND = explainer(`@id("all") permit (principal, action, resource);`);

interface Call {
  readonly line: string;
  readonly json?: unknown;
}

async function decide(subject: Explainer, { line, json }: Call): Promise<string> {
  const request = parseRequestLine(line);
  if (!request.ok) assert.fail(request.error.message);
  const body = json === undefined ? "" : JSON.stringify(json);
  const said = await subject.explain({
    request: request.value,
    headers: json === undefined ? [] : [["content-type", "application/json"]],
    body: new TextEncoder().encode(body),
  });
  return `${said.decision} ${said.reason}`.trim();
}

const API = "https://api.github.com";
const graphql = (query: string, variables: unknown = {}): Call => ({
  line: `POST ${API}/graphql`,
  json: { query, variables },
});
const tool = (name: string, args: unknown): Call => ({
  line: "POST https://api.githubcopilot.com/mcp/",
  json: { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: args } },
});

/** A call that names the repository "acme/vault", and others that reach it unnamed. */
const ATTACKS: Record<string, { readonly named: Call; readonly hidden: readonly Call[] }> = {
  "GitHub's REST interface": {
    named: { line: `GET ${API}/repos/Acme/Vault.git/issues` },
    hidden: [
      { line: `GET ${API}/repositories/1296269` },
      { line: `GET ${API}/repositories/1296269/issues?page=2` },
      { line: `DELETE ${API}/repositories/1296269` },
      { line: `PATCH ${API}/repositories/1296269`, json: { archived: true } },
      { line: `POST ${API}/organizations/1/repos`, json: { name: "vault" } },
      { line: `PUT ${API}/orgs/acme/actions/secrets/KEY/repositories/1296269` },
      { line: `PUT ${API}/orgs/acme/actions/secrets/KEY/repositories`, json: {} },
      { line: `DELETE ${API}/user/installations/1/repositories/1296269` },
      {
        line: `POST ${API}/app/installations/1/access_tokens`,
        json: { repository_ids: [1296269] },
      },
      { line: `PATCH ${API}/user/repository_invitations/1` },
      { line: `POST ${API}/user/codespaces`, json: { repository_id: 1296269, ref: "main" } },
      { line: `GET ${API}/user/codespaces/machine` },
    ],
  },
  "GitHub's REST interface beside the paths of repositories": {
    named: { line: `PUT ${API}/orgs/acme/teams/crew/repos/acme/vault` },
    hidden: [],
  },
  "a team that is named by number": {
    named: { line: `PUT ${API}/organizations/1/team/2/repos/acme/vault` },
    hidden: [],
  },
  "a repository that is made": {
    named: { line: `POST ${API}/orgs/acme/repos`, json: { name: "vault" } },
    hidden: [{ line: `POST ${API}/user/repos`, json: { name: "vault" } }],
  },
  "GitHub's GraphQL interface": {
    named: graphql("mutation M($i: I!) { createCommitOnBranch(input: $i) { x } }", {
      i: { branch: { repositoryNameWithOwner: "acme/vault", branchName: "work" } },
    }),
    hidden: [
      graphql("mutation M($i: I!) { createCommitOnBranch(input: $i) { x } }", {
        i: { branch: { id: "MDM6UmVmMQ==" } },
      }),
      graphql('mutation { deleteRef(input: { refId: "MDM6UmVmMQ==" }) { x } }'),
      graphql('mutation { createPullRequest(input: { repositoryId: "R_1" }) { x } }'),
      graphql('{ node(id: "R_1") { ... on Repository { name } } }'),
      graphql('{ viewer { repository(name: "vault") { id } } }'),
    ],
  },
  "GitHub's MCP server": {
    named: tool("get_file_contents", { owner: "acme", repo: "vault", path: "/" }),
    hidden: [tool("get_notification_details", { notificationID: "1" })],
  },
  "GitLab's REST interface": {
    named: { line: "GET https://gitlab.com/api/v4/projects/acme%2Fvault/issues" },
    hidden: [{ line: "GET https://gitlab.com/api/v4/projects/278964/issues" }],
  },
};

for (const [what, { named, hidden }] of Object.entries(ATTACKS)) {
  Deno.test(`a policy on the repository holds for ${what} when a call hides it`, async () => {
    assert.equal(await decide(KEEP_OUT, named), "DENY PolicyDenied");
    for (const call of hidden) {
      const which = JSON.stringify(call);
      assert.equal(await decide(KEEP_OUT, call), "DENY FailClosed", which);
      assert.equal(await decide(BLIND, call), "ALLOW", `without such a policy: ${which}`);
    }
  });
}

Deno.test("a policy on the repository leaves calls alone that are about none", async () => {
  for (
    const call of [
      { line: `GET ${API}/user` },
      { line: `GET ${API}/rate_limit` },
      { line: `GET ${API}/organizations/1/members?page=2` },
      { line: `GET ${API}/user/1/repos?page=2` },
      { line: `POST ${API}/gists`, json: { files: {} } },
      { line: `POST ${API}/markdown`, json: { text: "" } },
      { line: `GET ${API}/repos/acme/rocket/issues` },
      { line: `POST ${API}/orgs/acme/repos`, json: { name: "rocket" } },
      graphql("{ rateLimit { remaining } }"),
      { line: "GET https://gitlab.com/api/v4/projects/acme%2Frocket/issues" },
    ] satisfies Call[]
  ) assert.equal(await decide(KEEP_OUT, call), "ALLOW", JSON.stringify(call));
});

Deno.test("a policy on the ref holds when a call hides the ref", async () => {
  const rocket = `${API}/repos/acme/rocket`;
  const named: Call[] = [
    { line: `PATCH ${rocket}/git/refs/heads/main`, json: { sha: "1" } },
    { line: `POST ${rocket}/merges`, json: { base: "main", head: "work" } },
    { line: `POST ${rocket}/merge-upstream`, json: { branch: "main" } },
    { line: `POST ${rocket}/branches/main/rename`, json: { new_name: "old" } },
    { line: `PATCH ${API}/repositories/1/git/refs/heads/main`, json: { sha: "1" } },
  ];
  for (const call of named) {
    assert.equal(await decide(KEEP_REF, call), "DENY PolicyDenied", JSON.stringify(call));
  }
  const hidden: Call[] = [
    { line: `PUT ${rocket}/pulls/1/merge` },
    { line: `PUT ${rocket}/pulls/1/update-branch` },
    { line: `PUT ${API}/repositories/1/pulls/1/merge` },
    graphql('mutation { updateRef(input: { refId: "R", oid: "1" }) { x } }'),
    graphql('mutation { mergePullRequest(input: { pullRequestId: "PR_1" }) { x } }'),
    graphql("mutation M($i: I!) { createCommitOnBranch(input: $i) { x } }", {
      i: { branch: { id: "R" } },
    }),
    tool("merge_pull_request", { owner: "acme", repo: "rocket", pullNumber: 1 }),
  ];
  for (const call of hidden) {
    const which = JSON.stringify(call);
    assert.equal(await decide(KEEP_REF, call), "DENY FailClosed", which);
    assert.equal(await decide(BLIND, call), "ALLOW", which);
  }
  const elsewhere: Call[] = [
    { line: `PATCH ${rocket}/git/refs/heads/work`, json: { sha: "1" } },
    { line: `GET ${rocket}/pulls/1/merge` },
    graphql('mutation { createPullRequest(input: { repositoryId: "R_1" }) { x } }'),
  ];
  for (const call of elsewhere) {
    assert.equal(await decide(KEEP_REF, call), "ALLOW", JSON.stringify(call));
  }
});

Deno.test("the posture dev lets GitHub's links to the next page be read, and holds for writes", async () => {
  const text = await Deno.readTextFile(new URL("../../packs/postures/dev.cedar", import.meta.url));
  const dev = explainer(text);
  for (
    const path of [
      "/repositories/1/issues?page=2",
      "/repositories/1/contents/src/main.ts",
      "/organizations/1/repos?page=2",
      "/organizations/1/team/2/members?page=2",
      "/user/1/repos?page=2",
    ]
  ) assert.equal(await decide(dev, { line: `GET ${API}${path}` }), "ALLOW", path);
  const named = await decide(dev, { line: `DELETE ${API}/repos/acme/rocket` });
  assert.equal(named, "DENY PolicyDenied");
  assert.equal(await decide(dev, { line: `DELETE ${API}/repositories/1` }), named);
  for (const path of ["/repositories/1/unheard-of", "/organizations/1/unheard-of"]) {
    const said = await decide(dev, { line: `GET ${API}${path}` });
    assert.equal(said, "DENY UnclassifiedIntent", path);
  }
});

Deno.test("a policy on the provider and the repository holds when a call hides the repository", async () => {
  const subject = explainer(`
permit (principal, action, resource);
forbid (principal, action, resource)
when {
  context has git_provider && ["github", "gitlab"].contains(context.git_provider) &&
  context has git_repo && context.git_repo == "vault"
};`);
  for (
    const line of [
      `GET ${API}/repositories/1296269`,
      `DELETE ${API}/user/installations/1/repositories/1296269`,
      "GET https://gitlab.com/api/v4/projects/278964/issues",
    ]
  ) assert.equal(await decide(subject, { line }), "DENY FailClosed", line);
  assert.equal(await decide(subject, { line: `GET ${API}/repos/acme/rocket` }), "ALLOW");
});

Deno.test("a policy on the path holds when a call has numbers in the place of names", async () => {
  const subject = explainer(`
permit (principal, action, resource);
forbid (principal, action, resource)
when {
  resource has host && resource has path &&
  resource.host == "api.github.com" && resource.path like "/*/acme*"
};`);
  const named = ["/repos/acme/vault/issues", "/orgs/acme/members", "/users/acme/repos"];
  const numbered = [
    "/repositories/1/issues",
    "/organizations/1/members",
    "/organizations/1/team/2/members",
    "/user/1/repos",
  ];
  for (const path of named) {
    const said = await decide(subject, { line: `GET ${API}${path}` });
    assert.equal(said, "DENY PolicyDenied", path);
  }
  for (const path of numbered) {
    const call = { line: `GET ${API}${path}` };
    assert.equal(await decide(subject, call), "DENY FailClosed", path);
    assert.equal(await decide(BLIND, call), "ALLOW", path);
  }
  for (const path of ["/repos/other/vault", "/orgs/other/members", "/user/repos", "/user"]) {
    assert.equal(await decide(subject, { line: `GET ${API}${path}` }), "ALLOW", path);
  }
});

Deno.test("a policy on the very resource holds when a call has numbers in the place of names", async () => {
  const subject = explainer(`
permit (principal, action, resource);
forbid (principal, action, resource == Firma::Resource::"api.github.com/repos/acme/vault");`);
  const vault = { line: `GET ${API}/repos/acme/vault` };
  assert.equal(await decide(subject, vault), "DENY PolicyDenied");
  assert.equal(await decide(subject, { line: `GET ${API}/repositories/1` }), "DENY FailClosed");
  assert.equal(await decide(subject, { line: `GET ${API}/repos/acme/rocket` }), "ALLOW");
});
