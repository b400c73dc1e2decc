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

[[rules]]
host = "${HOST}"
method = "GET"
path = "/*/*/info/refs"
query = "service=git-receive-pack"
action_class = "code.write"

[[rules]]
host = "${HOST}"
method = "POST"
path = "/*/*/git-upload-pack"
action_class = "code.read"

[[rules]]
host = "${HOST}"
method = "POST"
path = "/*/*/git-receive-pack"
action_class = "code.write"
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
): Promise<void> {
  const ca = await TestCa.create();
  await using server = await startGitServer({ ca, host: HOST, repository: "team/tool.git" });
  await using person = await Person.create();
  await person.configure({
    servers: [{ host: HOST, address: server.address, certificate: ca.certificate }],
    rules: RULES,
    posture,
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
