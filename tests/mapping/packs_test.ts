import assert from "node:assert/strict";
import { actionClassLineage, parseActionClass } from "../../src/core/action_class.ts";
import { MappingTable } from "../../src/mapping/table.ts";
import { call, classOf, must } from "./support.ts";

const PACKS = new URL("../../packs/mappings/", import.meta.url);

const files = [...Deno.readDirSync(PACKS)].map(({ name }) => ({
  file: `mappings/${name}`,
  text: Deno.readTextFileSync(new URL(name, PACKS)),
}));

const packs = must(MappingTable.parse(files));

for (const { file, text } of files) {
  Deno.test(`the pack ${file} can be used alone`, () => {
    assert.ok(must(MappingTable.parse([{ file, text }])).size > 0);
  });

  Deno.test(`the pack ${file} opens with what it covers and when that was checked`, () => {
    assert.match(text, /^# \S/);
    assert.match(text.slice(0, text.indexOf("[[rules]]")), /20\d\d-\d\d/);
  });
}

/** Packs that were made from tables. */
const TABLES = ["github", "github-enterprise", "gmail", "stripe"];

Deno.test("the tables that packs are made from are whole", () => {
  const counts = TABLES.map((name) => {
    const data = Deno.readTextFileSync(new URL(`data/${name}.tsv`, import.meta.url));
    return data.trimEnd().split("\n").length;
  });
  // Together the 1,591 operations that GitHub describes for its three editions.
  assert.deepEqual(counts, [1484, 107, 91, 759]);
});

/** Values for the parameters of published paths: several segments where a value may have them. */
const VALUES: readonly ((parameter: string) => string)[] = [
  () => "x",
  () => "v1.2-beta_3",
  (parameter) =>
    /^(?:ref|branch|basehead|tag|sha|commit_sha|tree_sha|subject_digest|path|dir)$/.test(parameter)
      ? "a/b/c"
      : "1",
];

for (const name of TABLES) {
  const data = new URL(`data/${name}.tsv`, import.meta.url);
  const operations = Deno.readTextFileSync(data).trimEnd().split("\n").map((line) =>
    line.split("\t") as [string, string, string, string, string]
  );

  Deno.test(`the pack ${name} names finer classes of what the tables say`, () => {
    const wrong = operations.filter(([, , , parent, actionClass]) =>
      !actionClassLineage(parseActionClass(actionClass)!).includes(parseActionClass(parent)!)
    );
    assert.deepEqual(wrong, []);
  });

  Deno.test(`the pack ${name} gives each of ${operations.length} published operations its class`, () => {
    const wrong: string[] = [];
    for (const [method, host, path, , expected] of operations) {
      for (const value of VALUES) {
        const concrete = path.replace(/\{([^}]+)\}/g, (_, parameter) => value(parameter));
        const actual = classOf(packs, method, `https://${host}${concrete}`);
        if (actual !== expected) wrong.push(`${method} ${host}${concrete}: ${actual}`);
      }
    }
    assert.deepEqual(wrong, []);
  });

  Deno.test(`the pack ${name} names no operation that was not published`, () => {
    const published = new Set(operations.map(([method, host, path]) => `${method} ${host}${path}`));
    const wrong: string[] = [];
    for (const [, host, path] of operations) {
      for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
        if (published.has(`${method} ${host}${path}`)) continue;
        const concrete = path.replace(/\{[^}]+\}/g, "x");
        const match = packs.match(call(method, `https://${host}${concrete}`));
        if (!match) continue;
        // The later requests of an upload are published in words, not in the description.
        if (name === "gmail" && method === "PUT" && path.includes("/upload/")) continue;
        // A parameter of several segments reaches over operations with a shorter path.
        if (match.path.includes("**") || overlaps(method, host, concrete, operations)) continue;
        wrong.push(`${method} ${host}${concrete}: ${match.path}`);
      }
      const concrete = path.replace(/\{[^}]+\}/g, "x").replace(/\/$/, "");
      const beyond = `https://${host}${concrete}/unheard-of/thing/at-all`;
      const match = packs.match(call("DELETE", beyond));
      if (match && !match.path.includes("**")) wrong.push(`${beyond}: ${match.path}`);
    }
    assert.deepEqual(wrong, []);
  });
}

/** How GitHub's own links name what published paths name. */
const ALIASES: readonly (readonly [RegExp, string])[] = [
  [/^\/repos\/\{(?:template_)?owner\}\/\{(?:template_)?repo\}/, "/repositories/1296269"],
  [/^\/orgs\/\{org\}\/teams\/\{team_slug\}/, "/organizations/9919/team/17"],
  [/^\/orgs\/\{org\}/, "/organizations/9919"],
  [/^\/users\/\{[^}]+\}/, "/user/583231"],
];

Deno.test("the pack github classifies a path with numbers for names as the path with names", () => {
  const data = Deno.readTextFileSync(new URL("data/github.tsv", import.meta.url));
  const wrong: string[] = [];
  let count = 0;
  for (const line of data.trimEnd().split("\n")) {
    const [method, host, path, , expected] = line.split("\t") as [
      string,
      string,
      string,
      string,
      string,
    ];
    for (const [beginning, numbered] of ALIASES) {
      if (host !== "api.github.com" || !beginning.test(path)) continue;
      count++;
      for (const value of VALUES) {
        const rest = path.replace(beginning, "").replace(/\{([^}]+)\}/g, (_, name) => value(name));
        const match = packs.match(call(method, `https://${host}${numbered}${rest}`));
        if (match?.actionClass !== expected) wrong.push(`${method} ${numbered}${rest}`);
        // This one of them is published, as "/user/{account_id}".
        else if (match.alias === undefined && match.path !== "/user/*") {
          wrong.push(`${method} ${numbered}${rest}: no alias`);
        }
      }
    }
  }
  assert.deepEqual(wrong, []);
  assert.ok(count > 1000, `only ${count} paths begin so`);
});

/** Tells whether another published path of this method takes the same segments. */
function overlaps(
  method: string,
  host: string,
  concrete: string,
  operations: readonly (readonly [string, string, string, string, string])[],
): boolean {
  return operations.some(([otherMethod, otherHost, otherPath]) =>
    otherMethod === method && otherHost === host &&
    new RegExp(`^${otherPath.replace(/[.$+?]/g, "\\$&").replace(/\{[^}]+\}/g, "[^/]+")}$`)
      .test(concrete)
  );
}

/** `expected` where it is among the parents of a class, else the class. */
function canonical(name: string, expected: string): string {
  const actionClass = parseActionClass(name);
  const lineage: string[] = actionClass === undefined ? [] : actionClassLineage(actionClass);
  return lineage.includes(expected) ? expected : name;
}

/** Each row: `METHOD URL`, class or parent of it; `-` for what must not be mapped. */
const CALLS: readonly (readonly [string, string])[] = [
  // npm
  ["GET https://registry.npmjs.org/hono", "system.install"],
  ["HEAD https://registry.npmjs.org/hono", "system.install"],
  ["GET https://registry.npmjs.org/@types%2fnode", "system.install"],
  ["GET https://registry.npmjs.org/@types/node", "system.install"],
  ["GET https://registry.npmjs.org/hono/4.13.19", "system.install"],
  ["GET https://registry.npmjs.org/hono/-/hono-4.13.19.tgz", "system.install"],
  ["GET https://registry.npmjs.org/@types/node/-/node-24.0.0.tgz", "system.install"],
  ["GET https://registry.npmjs.org/-/v1/search?text=x", "system.install"],
  ["GET https://registry.npmjs.org/-/npm/v1/keys", "system.install"],
  ["POST https://registry.npmjs.org/-/npm/v1/security/audits/quick", "system.install"],
  ["POST https://registry.npmjs.org/-/npm/v1/security/advisories/bulk", "system.install"],
  ["GET https://registry.yarnpkg.com/@types%2fnode", "system.install"],
  ["PUT https://registry.yarnpkg.com/hono", "-"],
  ["PUT https://registry.npmjs.org/hono", "code.write"],
  ["PUT https://registry.npmjs.org/@acme%2ftool", "code.write"],
  ["PUT https://registry.npmjs.org/-/package/hono/dist-tags/latest", "code.write"],
  ["PUT https://registry.npmjs.org/-/package/@acme%2ftool/dist-tags/latest", "code.write"],
  ["DELETE https://registry.npmjs.org/hono/-rev/12-abc", "code.destructive"],
  ["DELETE https://registry.npmjs.org/hono/-/hono-1.0.0.tgz/-rev/12-abc", "code.destructive"],
  ["PUT https://registry.npmjs.org/hono/-rev/12-abc", "account.permission.change"],
  ["POST https://registry.npmjs.org/-/package/hono/access", "account.permission.change"],
  ["PUT https://registry.npmjs.org/-/team/acme/devs/user", "account.permission.change"],
  ["GET https://registry.npmjs.org/-/whoami", "credential.read"],
  ["GET https://registry.npmjs.org/-/npm/v1/tokens", "credential.read"],
  ["POST https://registry.npmjs.org/-/npm/v1/tokens", "credential.write"],
  ["DELETE https://registry.npmjs.org/-/npm/v1/tokens/token/abc", "credential.write"],
  ["PUT https://registry.npmjs.org/-/user/org.couchdb.user:me", "credential.write"],
  ["PUT https://registry.npmjs.org/-/user/org.couchdb.user%3Ame", "credential.write"],
  ["POST https://registry.npmjs.org/-/v1/login", "credential.write"],
  ["GET https://registry.npmjs.org/-/v1/done?sessionId=x", "credential.write"],
  // What the registry makes of an encoded slash is not for a rule on packages to say.
  ["GET https://registry.npmjs.org/-%2Fwhoami", "-"],
  ["GET https://registry.npmjs.org/-%2fnpm%2fv1%2ftokens", "-"],
  ["PUT https://registry.npmjs.org/-%2Fuser%2Forg.couchdb.user:me", "-"],
  ["PUT https://registry.npmjs.org/hono%2F-rev%2F12", "-"],
  ["PUT https://registry.npmjs.org/@acme%2Ftool%2F-rev%2F12", "-"],
  ["GET https://registry.npmjs.org/%2D/whoami", "credential.read"],
  ["GET https://registry.npmjs.org/%40types%2Fnode", "system.install"],
  ["GET https://registry.npmjs.org/@types%2fnode/24.0.0", "system.install"],
  ["PUT https://registry.npmjs.org/@acme%2ftool/-rev/12-abc", "account.permission.change"],
  ["GET https://registry.npmjs.org/-/all", "-"],
  ["GET https://registry.npmjs.org/-/whatever", "-"],
  ["PUT https://registry.npmjs.org/-/whatever", "-"],
  ["POST https://registry.npmjs.org/-/npm/v1/security/other", "-"],
  ["POST https://registry.npmjs.org/hono", "-"],
  ["PATCH https://registry.npmjs.org/hono", "-"],
  ["DELETE https://registry.npmjs.org/hono", "-"],
  ["OPTIONS https://registry.npmjs.org/hono", "-"],

  // PyPI
  ["GET https://pypi.org/simple/requests/", "system.install"],
  ["GET https://pypi.org/simple/requests", "system.install"],
  ["GET https://pypi.org/pypi/requests/json", "system.install"],
  [
    "GET https://files.pythonhosted.org/packages/ab/cd/torch-2.0%2Bcpu-py3.whl",
    "system.install",
  ],
  ["POST https://upload.pypi.org/legacy/", "code.write"],
  ["POST https://pypi.org/_/oidc/mint-token", "credential.write"],
  ["POST https://upload.pypi.org/legacy", "-"],
  ["POST https://pypi.org/simple/requests/", "-"],
  ["GET https://pypi.org/manage/account/", "-"],

  // Cargo
  ["GET https://index.crates.io/se/rd/serde", "system.install"],
  ["GET https://index.crates.io/config.json", "system.install"],
  ["GET https://static.crates.io/crates/serde/serde-1.0.0.crate", "system.install"],
  ["GET https://crates.io/api/v1/crates/serde/1.0.0/download", "system.install"],
  ["PUT https://crates.io/api/v1/crates/new", "code.write"],
  ["DELETE https://crates.io/api/v1/crates/serde/1.0.0/yank", "code.destructive"],
  ["PUT https://crates.io/api/v1/crates/serde/owners", "account.permission.change"],
  ["PUT https://crates.io/api/v1/me/tokens", "credential.write"],
  ["POST https://index.crates.io/config.json", "-"],
  ["PUT https://crates.io/api/v1/crates/serde", "-"],

  // git
  ["GET https://github.com/acme/tool/info/refs?service=git-upload-pack", "code.read"],
  ["GET https://github.com/acme/tool.git/info/refs?service=git-upload-pack", "code.read"],
  ["GET https://github.com/acme/tool.git/info/refs?service=git-receive-pack", "code.write"],
  ["POST https://github.com/acme/tool.git/git-upload-pack", "code.read"],
  ["POST https://github.com/acme/tool/git-receive-pack", "code.write"],
  ["POST https://github.com/acme/tool.git/git-receive-pack", "code.write"],
  ["POST https://gist.github.com/abc.git/git-receive-pack", "code.write"],
  ["POST https://github.com/acme/tool.git/info/lfs/objects/batch", "code.read"],
  ["GET https://github.com/acme/tool/archive/refs/tags/v1.tar.gz", "code.read"],
  ["GET https://github.com/acme/tool/releases/download/v1/tool.tgz", "code.read"],
  ["GET https://raw.githubusercontent.com/acme/tool/main/README.md", "code.read"],
  ["GET https://codeload.github.com/acme/tool/tar.gz/refs/heads/main", "code.read"],
  ["POST https://github.com/login/oauth/access_token", "credential.write"],
  ["GET https://github.com/acme/tool.git/info/refs", "-"],
  ["GET https://github.com/acme/tool.git/info/refs?service=git-upload-archive", "-"],
  [
    "GET https://github.com/acme/tool.git/info/refs?service=git-upload-pack&service=git-receive-pack",
    "-",
  ],
  ["POST https://github.com/acme/tool.git/info/refs?service=git-upload-pack", "-"],
  ["POST https://github.com/acme/tool%2Fgit-upload-pack", "-"],
  ["POST https://github.com/acme/tool%2Fx/git-receive-pack", "-"],
  ["POST https://github.com/acme/tool/issues", "-"],
  ["POST https://github.com/session", "-"],
  ["POST https://raw.githubusercontent.com/acme/tool/main/README.md", "-"],

  // GitHub's REST API
  ["GET https://api.github.com/repos/acme/tool/contents/", "code.read"],
  ["GET https://api.github.com/repos/acme/tool/contents/src%2Fa.ts", "code.read"],
  ["PUT https://api.github.com/repos/acme/tool/contents/.github/workflows/ci.yml", "code.write"],
  ["DELETE https://api.github.com/repos/acme/tool/git/refs/heads/feature/x", "code.destructive"],
  ["DELETE https://api.github.com/repos/acme/tool/git/refs/heads%2Fmain", "code.destructive"],
  ["PUT https://api.github.com/repos/acme/tool/branches/feat/x/protection", "repo.admin"],
  ["PUT https://api.github.com/repos/acme/tool/pulls/1/merge", "code.merge"],
  ["POST https://api.github.com/repos/acme/tool/pulls", "code.write"],
  ["POST https://api.github.com/repos/acme/tool/issues/1/comments", "issue.write"],
  ["DELETE https://api.github.com/repos/acme/tool", "repo.lifecycle"],
  ["PUT https://api.github.com/repos/acme/tool/actions/secrets/X", "credential.write"],
  ["POST https://api.github.com/graphql", "code.read"],
  ["GET https://api.github.com/graphql", "-"],
  ["DELETE https://api.github.com/repositories/1", "repo.delete"],
  ["GET https://api.github.com/repositories/1/issues?page=2", "issue.read"],
  ["GET https://api.github.com/repositories/1/contents/src%2Fa.ts", "code.read"],
  ["DELETE https://api.github.com/repositories/1/git/refs/heads%2Fmain", "code.destructive"],
  ["GET https://api.github.com/organizations/1/team/2/members?page=2", "account.read"],
  ["GET https://api.github.com/user/1/repos?page=2", "account.read"],
  ["DELETE https://api.github.com/repositories/1/", "-"],
  ["DELETE https://api.github.com/repositories/1/unheard-of", "-"],
  ["DELETE https://api.github.com/repositories/1a", "-"],
  ["DELETE https://api.github.com/repositories/-1", "-"],
  ["DELETE https://api.github.com/repositories/acme/tool", "-"],
  ["DELETE https://api.github.com/repositories/1%2Fgit%2Frefs%2Fheads%2Fmain", "-"],
  ["DELETE https://api.github.com/repositories/1%2Fissues/labels/main", "-"],
  ["GET https://api.github.com/Repositories/1", "-"],
  ["POST https://api.github.com/repositories/1", "-"],
  ["GET https://api.github.com/user/1/emails", "-"],
  ["PUT https://api.github.com/user/1/keys", "-"],
  ["GET https://api.github.com/repos/acme%2Ftool", "-"],
  ["DELETE https://api.github.com/repos/acme/tool%2Fgit%2Frefs%2Fheads/labels/main", "-"],
  ["DELETE https://api.github.com/repos/acme/tool/labels/kind%2Fbug", "issue.write"],
  ["GET https://api.github.com/repos/acme/tool/branches/feat%2Fx/protection", "code.read"],
  ["DELETE https://api.github.com/repos/acme/tool/", "-"],
  ["DELETE https://api.github.com/REPOS/acme/tool", "-"],
  ["POST https://api.github.com/repos/acme/tool", "-"],
  // Paths of Enterprise Server and of other versions, which api.github.com does not serve.
  ["GET https://api.github.com/api/v3/repos/acme/tool", "-"],
  ["POST https://api.github.com/api/graphql", "-"],
  ["GET https://api.github.com/v3/repos/acme/tool", "-"],
  // Pages of the web site, whatever they are shown as.
  ["GET https://github.com/acme/tool/pull/1.diff", "-"],
  ["GET https://github.com/acme/tool/pull/1.patch", "-"],
  ["GET https://github.com/acme/tool/commit/abc.patch", "-"],

  // Models
  ["POST https://api.anthropic.com/v1/messages?beta=true", "model.inference"],
  ["POST https://api.anthropic.com/v1/messages/count_tokens", "model.inference"],
  ["GET https://api.anthropic.com/api/claude_code/settings", "model.inference"],
  ["POST https://api.anthropic.com/api/event_logging/v2/batch", "telemetry.send"],
  ["POST https://api.anthropic.com/api/eval/sdk-abc", "telemetry.send"],
  ["POST https://platform.claude.com/v1/oauth/token", "credential.read"],
  ["POST https://api.anthropic.com/v1/files", "-"],
  ["GET https://api.anthropic.com/v1/organizations/users", "-"],
  ["POST https://api.anthropic.com/v1/messages/batches", "-"],
  ["POST https://api.anthropic.com/v1/sessions", "-"],
  ["POST https://api.openai.com/v1/responses", "model.inference"],
  ["GET https://api.openai.com/v1/responses", "model.inference"],
  ["GET https://chatgpt.com/backend-api/codex/models?client_version=1", "model.inference"],
  ["GET https://chatgpt.com/backend-api/wham/accounts/check", "model.inference"],
  ["POST https://auth.openai.com/oauth/token", "credential.read"],
  ["POST https://ab.chatgpt.com/otlp/v1/metrics", "telemetry.send"],
  ["POST https://api.openai.com/v1/files", "-"],
  ["GET https://api.openai.com/v1/organization/admin_api_keys", "-"],
  ["POST https://chatgpt.com/backend-api/wham/tasks", "-"],
  [
    "POST https://generativelanguage.googleapis.com/v1beta/models/gemini-3:streamGenerateContent?alt=sse",
    "model.inference",
  ],
  [
    "POST https://generativelanguage.googleapis.com/v1beta/models/gemini-3%3AgenerateContent",
    "model.inference",
  ],
  ["POST https://cloudcode-pa.googleapis.com/v1internal:generateContent", "model.inference"],
  ["POST https://cloudcode-pa.googleapis.com/v1internal:recordCodeAssistMetrics", "telemetry.send"],
  ["POST https://play.googleapis.com/log?format=json&hasfast=true", "telemetry.send"],
  ["POST https://oauth2.googleapis.com/token", "credential.read"],
  ["POST https://oauth2.googleapis.com/revoke", "credential.write"],
  ["POST https://generativelanguage.googleapis.com/v1beta/models/gemini-3", "-"],
  ["POST https://generativelanguage.googleapis.com/v1beta/models/gemini-3:delete", "-"],
  ["POST https://generativelanguage.googleapis.com/v1beta/models/a%2F:generateContent", "-"],
  ["POST https://generativelanguage.googleapis.com/upload/v1beta/files", "-"],
  ["POST https://api.githubcopilot.com/chat/completions", "model.inference"],
  ["GET https://api.business.githubcopilot.com/models", "model.inference"],
  ["GET https://api.github.com/copilot_internal/v2/token", "credential.read"],
  ["POST https://copilot-telemetry.githubusercontent.com/telemetry", "telemetry.send"],
  ["POST https://api.githubcopilot.com/mcp", "code.read"],
  ["POST https://api.githubcopilot.com/mcp/", "code.read"],
  ["POST https://api.githubcopilot.com/mcp/x/repos/readonly", "code.read"],
  ["POST https://api.githubcopilot.com/mcpx", "-"],
  ["POST https://api.evil.githubcopilot.com/chat/completions", "-"],

  // Other services
  ["GET https://slack.com/api/chat.postMessage?text=x", "communication.external.send"],
  ["POST https://slack.com/api/conversations.history", "communication.external.read"],
  ["POST https://slack.com/api/oauth.v2.access", "credential.write"],
  ["POST https://slack.com/api/chat.postmessage", "-"],
  ["POST https://slack.com/api/chat%2EpostMessage", "communication.external.send"],
  ["POST https://slack.com/api/unheard.of", "-"],
  ["GET https://gitlab.com/api/v4/projects/acme%2Ftools%2Fx", "code.read"],
  ["DELETE https://gitlab.com/api/v4/projects/acme%2Ftool", "repo.delete"],
  ["POST https://gitlab.com/api/v4/projects/1/merge_requests/2/notes", "code.merge"],
  ["GET https://gitlab.com/api/v4/projects/1/variables", "credential.read"],
  ["DELETE https://gitlab.com/api/v4/projects/acme/tool", "-"],
  ["DELETE https://gitlab.com/api/v4/groups/1", "-"],
  ["GET https://registry-1.docker.io/v2/library/alpine/manifests/latest", "system.install"],
  ["HEAD https://ghcr.io/v2/acme/tools/x/blobs/sha256:ab", "system.install"],
  ["PUT https://ghcr.io/v2/acme/tool/manifests/v1", "code.write"],
  ["DELETE https://ghcr.io/v2/acme/tool/manifests/v1", "code.destructive"],
  ["PUT https://ghcr.io/v2/acme/tool/blobs/sha256:ab", "-"],
  ["GET https://ghcr.io/v2/_catalog", "-"],
  ["GET https://huggingface.co/acme/model/resolve/main/a/b.bin", "system.install"],
  ["POST https://huggingface.co/api/models/acme/model/commit/main", "code.write"],
  ["DELETE https://huggingface.co/api/repos/delete", "repo.lifecycle"],
  ["PUT https://huggingface.co/api/models/acme/model/settings", "-"],

  // Mail and payments
  [
    "POST https://gmail.googleapis.com/gmail/v1/users/me/messages/send",
    "communication.external.send",
  ],
  [
    "POST https://www.googleapis.com/upload/gmail/v1/users/me/messages/send?uploadType=media",
    "communication.external.send",
  ],
  [
    "PUT https://gmail.googleapis.com/upload/gmail/v1/users/me/messages/send?upload_id=1",
    "mail.send",
  ],
  [
    "PUT https://www.googleapis.com/upload/gmail/v1/users/me/drafts/send?upload_id=1",
    "mail.send",
  ],
  ["PUT https://www.googleapis.com/upload/gmail/v1/users/me/drafts/r1?upload_id=1", "mail.draft"],
  ["PUT https://gmail.googleapis.com/upload/gmail/v1/users/me/settings?upload_id=1", "-"],
  ["POST https://gmail.googleapis.com/batch/gmail/v1", "communication.external.read"],
  ["POST https://gmail.googleapis.com/batch", "communication.external.read"],
  ["POST https://www.googleapis.com/batch", "-"],
  ["POST https://api.stripe.com/v1/refunds", "payment.refund"],
  ["POST https://api.stripe.com/v1/payouts", "payment.payout"],
  ["POST https://api.stripe.com/v1/unheard_of", "-"],
  ["GET https://api.stripe.com/v1/unheard_of", "-"],
  ["POST https://evil.test/v1/refunds", "-"],
];

for (const [request, expected] of CALLS) {
  Deno.test(`the packs ${expected === "-" ? "do not map" : `call ${expected}:`} ${request}`, () => {
    const [method, url] = request.split(" ") as [string, string];
    assert.equal(canonical(classOf(packs, method, url), expected), expected);
  });
}

Deno.test("the packs say where a rule stands", () => {
  const match = packs.match(call("GET", "https://pypi.org/simple/requests/"));
  const { text } = files.find(({ file }) => file === "mappings/pypi.toml")!;
  const [file, line] = match!.ref.split(":") as [string, string];
  assert.equal(file, "mappings/pypi.toml");
  assert.equal(text.split("\n")[Number(line) - 1]?.trim(), '"/simple/*/",');
});
