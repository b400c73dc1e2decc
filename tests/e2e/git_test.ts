import assert from "node:assert/strict";
import { Person } from "../fixtures/cli.ts";
import { type GitServer, startGitServer } from "../fixtures/git_server.ts";
import { TestCa } from "../fixtures/test_ca.ts";

const HOST = "git.firma.test";
const REPOSITORY = `https://${HOST}/team/tool.git`;

/** A code host: fetching is reading code, pushing is writing it. Both ask for refs first. */
const RULES = `
[[rules]]
host = "${HOST}"
method = "GET"
path = "/*/*/info/refs"
query = "service=git-upload-pack"
action_class = "code.read"
decoder = "git-read"

[[rules]]
host = "${HOST}"
method = "GET"
path = "/*/*/info/refs"
query = "service=git-receive-pack"
action_class = "code.write"
decoder = "git-read"

[[rules]]
host = "${HOST}"
method = "POST"
path = "/*/*/git-upload-pack"
action_class = "code.read"
decoder = "git-read"

[[rules]]
host = "${HOST}"
method = "POST"
path = "/*/*/git-receive-pack"
action_class = "code.write"
decoder = "git-receive-pack"
`;

const CLONE = `git clone --quiet ${REPOSITORY} tool`;
const PUSH = `cd tool &&
  git -c user.name=a -c user.email=a@firma.test commit --quiet --allow-empty --message=second &&
  git push --quiet origin main`;

const NO_PUSH = `
forbid (principal, action in [Firma::Action::"code.write"], resource);
`;

async function withGitHost(
  posture: string,
  test: (person: Person, server: GitServer) => Promise<void>,
  more = "",
): Promise<void> {
  const ca = await TestCa.create();
  await using server = await startGitServer({ ca, host: HOST, repository: "team/tool.git" });
  await using person = await Person.create();
  await person.configure({
    servers: [{ host: HOST, address: server.address, certificate: ca.certificate }],
    rules: RULES,
    posture,
    // What reaches the host is decided there; the gate would stop git before it calls.
    more: `${more}\n[run.sidecar_local_exec]\ngate = "off"\n`,
  });
  await test(person, server);
}

/** The decisions about a class so far: `ALLOW POST <resource without query>`. */
async function decided(person: Person, actionClass: string): Promise<string[]> {
  const events = await person.events();
  return events.flatMap((event) =>
    event.kind === "decision" && event.action_class === actionClass
      ? [`${event.decision} ${event.method} ${event.resource.split("?")[0]}`]
      : []
  );
}

Deno.test("firma run lets git clone and push under the posture dev", () =>
  withGitHost("dev", async (person, server) => {
    const seed = await server.head("main");
    const clone = await person.shell(CLONE);
    assert.equal(clone.code, 0, clone.stderr);
    assert.equal(await person.read("tool/README"), "seed\n");

    const push = await person.shell(PUSH);
    assert.equal(push.code, 0, push.stderr);
    assert.notEqual(await server.head("main"), seed);
    assert.deepEqual(await decided(person, "code.write"), [
      `ALLOW GET ${HOST}/team/tool.git/info/refs`,
      `ALLOW POST ${HOST}/team/tool.git/git-receive-pack`,
    ]);
  }));

Deno.test("firma run lets git clone but not push where a policy forbids writing code", () =>
  withGitHost("dev", async (person, server) => {
    await person.write(".firma/policies/no-push.cedar", NO_PUSH);
    const seed = await server.head("main");
    const clone = await person.shell(CLONE);
    assert.equal(clone.code, 0, clone.stderr);
    assert.equal(await person.read("tool/README"), "seed\n");

    const push = await person.shell(PUSH);
    assert.notEqual(push.code, 0);
    assert.match(push.stderr, /403/);
    assert.equal(await server.head("main"), seed);
    assert.ok(!server.requests.some(({ target }) => target.includes("receive-pack")));
    assert.deepEqual(await decided(person, "code.write"), [
      `DENY GET ${HOST}/team/tool.git/info/refs`,
    ]);
  }));

Deno.test("firma run lets git do nothing under the posture strict", () =>
  withGitHost("strict", async (person, server) => {
    const clone = await person.shell(CLONE);
    assert.notEqual(clone.code, 0);
    assert.match(clone.stderr, /403/);
    assert.deepEqual(server.requests, []);
    assert.deepEqual(await decided(person, "code.read"), [
      `DENY GET ${HOST}/team/tool.git/info/refs`,
    ]);
  }));

const GIT = "git -c user.name=a -c user.email=a@firma.test";

/** What the policy saw of the pushes so far. */
async function pushes(person: Person): Promise<unknown[]> {
  const events = await person.events();
  return events.flatMap((event) => {
    if (event.kind !== "decision" || !event.resource.includes("/git-receive-pack")) return [];
    const { git_ref, git_operation, git_forced } = event.envelope!.intent.attributes;
    return [[event.decision, event.action_class, git_ref, git_operation, git_forced]];
  });
}

Deno.test("firma run lets git add to a protected branch but not rewrite it", () =>
  withGitHost("dev", async (person, server) => {
    const first = await person.shell(`${CLONE} && ${PUSH}`);
    assert.equal(first.code, 0, first.stderr);
    const head = await server.head("main");

    const rewrite = await person.shell(`cd tool &&
      ${GIT} commit --quiet --amend --allow-empty --message=rewritten &&
      git push --quiet --force origin main`);
    assert.equal(rewrite.code, 1);
    assert.match(rewrite.stderr, /remote: firma refused/);
    assert.match(rewrite.stderr, /main -> main \(Denied by policy \(firma\)\)/);
    assert.equal(await server.head("main"), head);

    // On a branch of its own the same is everyday work; deleting is not.
    const own = await person.shell(`cd tool && git push --quiet origin main:feature &&
      ${GIT} commit --quiet --amend --allow-empty --message=again &&
      git push --quiet --force origin main:feature`);
    assert.equal(own.code, 0, own.stderr);
    const remove = await person.shell("cd tool && git push --quiet origin --delete feature");
    assert.match(remove.stderr, /feature \(Denied by policy \(firma\)\)/);
    assert.ok(await server.head("feature"));

    // A protected branch among others is not overlooked.
    const several = await person.shell(
      "cd tool && git push --quiet --force origin main:feature main:main",
    );
    assert.match(several.stderr, /main -> main \(Denied by policy \(firma\)\)/);
    assert.equal(await server.head("main"), head);

    assert.deepEqual((await pushes(person)).slice(0, 5), [
      ["ALLOW", "code.write", "refs/heads/main", "update", false],
      ["DENY", "code.write", "refs/heads/main", "update", true],
      ["ALLOW", "code.write", "refs/heads/feature", "create", false],
      ["ALLOW", "code.write", "refs/heads/feature", "update", true],
      ["DENY", "code.destructive", "refs/heads/feature", "delete", true],
    ]);
    const denied = (await person.events()).filter((event) =>
      event.kind === "decision" && event.decision === "DENY"
    );
    assert.ok(denied.some((event) =>
      event.kind === "decision" &&
      event.policy_ids.includes("dev.forbid-rewriting-protected-branches")
    ));
  }));

Deno.test("firma run lets a push stream that is larger than what it reads", () =>
  withGitHost("dev", async (person, server) => {
    const large = await person.shell(`${CLONE} && cd tool &&
      head -c 3000000 /dev/urandom > large && git add large &&
      ${GIT} commit --quiet --message=large && git push --quiet origin main`);
    assert.equal(large.code, 0, large.stderr);
    const head = await server.head("main");
    const rewrite = await person.shell(`cd tool && head -c 3000000 /dev/urandom > large &&
      git add large && ${GIT} commit --quiet --amend --message=other &&
      git push --quiet --force origin main`);
    assert.equal(rewrite.code, 1);
    assert.match(rewrite.stderr, /main -> main \(Denied by policy \(firma\)\)/);
    assert.equal(await server.head("main"), head);
  }, '[sidecar.interceptor]\nmax_request_body_size = "64 KiB"\n'));

Deno.test("firma run tells policies which repository git reads, in every version of its protocol", () =>
  withGitHost("dev", async (person) => {
    await person.write(
      ".firma/policies/other.cedar",
      `forbid (principal, action, resource)
when { context has git_repo && context.git_repo == "secret" };`,
    );
    const other = REPOSITORY.replace("tool", "SECRET");
    const script = ["0", "1", "2"].map((version) => `
      git -c protocol.version=${version} clone --quiet ${REPOSITORY} v${version} &&
      ! git -c protocol.version=${version} ls-remote ${other} 2>err${version} &&
      grep -q 403 err${version}`).join(" &&");
    const { code, stderr } = await person.shell(script);
    assert.equal(code, 0, stderr);
  }));

Deno.test("firma run takes git over SSH to HTTPS at a known code host, and refuses other SSH", async () => {
  const ca = await TestCa.create();
  await using server = await startGitServer({
    ca,
    host: "github.com",
    repository: "team/tool.git",
  });
  await using person = await Person.create();
  await person.configure({
    servers: [{ host: "github.com", address: server.address, certificate: ca.certificate }],
    mappings: ["github"],
  });
  const clone = await person.shell("git clone --quiet git@github.com:team/tool.git tool");
  assert.equal(clone.code, 0, clone.stderr);
  assert.equal(await person.read("tool/README"), "seed\n");

  const other = await person.shell(
    "export GIT_SSH_COMMAND='ssh -o StrictHostKeyChecking=no'; git ls-remote git@code.invalid:team/tool.git",
  );
  assert.notEqual(other.code, 0);
  assert.match(other.stderr, /firma refused SSH to code\.invalid; .* use HTTPS/);
  const refused = (await person.events()).filter((event) =>
    event.kind === "decision" && event.decision === "DENY"
  );
  assert.deepEqual(
    refused.map((event) => event.kind === "decision" && [event.resource, event.detail]),
    [["code.invalid:22", "SSH, which no policy can look into"]],
  );
});
