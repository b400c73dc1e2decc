import assert from "node:assert/strict";
import type { CallInput } from "../../../src/sidecar/gate.ts";
import { call, outcome, type Rig, rig } from "./support.ts";

const read = (path: string) =>
  Deno.readTextFileSync(new URL(`../../../packs/${path}`, import.meta.url));

const RULES = ["copilot", "github", "gmail", "stripe"].map((name) => read(`mappings/${name}.toml`))
  .join("\n");

/** One request; its type is JSON unless it says otherwise. */
function request(line: string, body = "", type = "application/json"): CallInput {
  const [method, address] = line.split(" ") as [string, string];
  const url = new URL(address);
  const bytes = new TextEncoder().encode(body);
  return call({
    method,
    authority: url.host,
    target: url.pathname + url.search,
    headers: body === "" ? [] : [["content-type", type]],
    tunnel: { connectHost: url.host, connectPort: 443, sni: url.host },
    readBody: (limit) => Promise.resolve(bytes.length > limit ? undefined : bytes),
  });
}

async function decide(subject: Rig, ...args: Parameters<typeof request>): Promise<string> {
  return outcome(await subject.gate.decide(request(...args)));
}

const GRAPHQL = "POST https://api.github.com/graphql";
const TOOL = "POST https://api.githubcopilot.com/mcp/";
const graphql = (query: string) => JSON.stringify({ query });
const tool = (name: string) =>
  JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name } });

/** Under the posture dev: request, what becomes of it. */
const DEV: readonly (readonly [string, string, string])[] = [
  [GRAPHQL, graphql("{ viewer { login } }"), "forward"],
  [GRAPHQL, graphql("mutation { addComment(input: {}) { x } }"), "forward"],
  [GRAPHQL, graphql("mutation { deleteRef(input: {}) { x } }"), "PolicyDenied"],
  [
    GRAPHQL,
    graphql("mutation { addComment(input: {}) { x } deleteRef(input: {}) { x } }"),
    "PolicyDenied",
  ],
  [GRAPHQL, graphql("mutation { eraseEverything { x } }"), "UnclassifiedIntent"],
  [GRAPHQL, graphql("mutation {"), "MalformedRequest"],
  [GRAPHQL, "", "MalformedRequest"],
  [TOOL, tool("get_me"), "forward"],
  [TOOL, tool("delete_file"), "PolicyDenied"],
  [TOOL, tool("eraseEverything"), "UnclassifiedIntent"],
  ["GET https://api.githubcopilot.com/mcp/", "", "forward"],
  ["PATCH https://api.github.com/repos/a/b/git/refs/heads/x", '{"sha":"1"}', "forward"],
  ["PATCH https://api.github.com/repos/a/b/git/refs/heads/x", '{"force":true}', "PolicyDenied"],
  ["PUT https://api.github.com/repos/a/b/contents/a.ts", '{"branch":"main"}', "forward"],
  ["PUT https://api.github.com/repos/a/b/contents/.github/workflows/a.yml", "{}", "PolicyDenied"],
  ["GET https://api.github.com/repos/a/b/issues", "", "forward"],
  ["GET https://github.com/a/b.git/info/refs?service=git-receive-pack", "", "forward"],
];

Deno.test("posture dev decides by what a body does", async () => {
  const subject = rig({ rules: RULES, policy: read("postures/dev.cedar") });
  for (const [line, body, expected] of DEV) {
    assert.equal(await decide(subject, line, body), expected, `${line} ${body}`);
  }
});

Deno.test("a policy can allow one repository and no other, however it is reached", async () => {
  const policy = `permit (principal, action, resource)
when {
  context has git_owner && context has git_repo &&
  context.git_owner == "acme" && context.git_repo == "rocket"
};`;
  const subject = rig({ rules: RULES, policy });
  for (
    const line of [
      "GET https://api.github.com/repos/Acme/Rocket/issues",
      "DELETE https://api.github.com/repos/acme/rocket",
      "GET https://github.com/ACME/rocket.git/info/refs?service=git-upload-pack",
    ]
  ) assert.equal(await decide(subject, line), "forward", line);
  for (
    const line of [
      "GET https://api.github.com/repos/evil/rocket/issues",
      "GET https://github.com/evil/rocket/info/refs?service=git-upload-pack",
      "GET https://api.github.com/user",
    ]
  ) assert.equal(await decide(subject, line), "PolicyDenied", line);
});

Deno.test("a policy can set a limit to what a payment moves", async () => {
  const policy = `permit (principal, action, resource)
when { context.transfer_amount <= 1000 && context has payment_livemode && !context.payment_livemode };`;
  const subject = rig({ rules: RULES, policy });
  const pay = (body: string, key: string) => {
    const input = request(
      "POST https://api.stripe.com/v1/charges",
      body,
      "application/x-www-form-urlencoded",
    );
    const headers = [...input.headers, ["authorization", `Bearer ${key}`] as const];
    return Promise.resolve(subject.gate.decide({ ...input, headers })).then(outcome);
  };
  assert.equal(await pay("amount=1000&currency=eur", "sk_test_x"), "forward");
  assert.equal(await pay("amount=1001&currency=eur", "sk_test_x"), "PolicyDenied");
  assert.equal(await pay("amount=1000&currency=eur", "sk_live_x"), "PolicyDenied");
  assert.equal(await pay("amount=9007199254740993", "sk_test_x"), "MalformedRequest");
  // What a call moves and does not say is not zero.
  assert.equal(await pay("customer=c", "sk_test_x"), "FailClosed");
  assert.ok(!JSON.stringify(subject.events.all).includes("sk_test_x"), "no key is recorded");
});

Deno.test("a batch of Gmail may do what its parts may do", async () => {
  const policy =
    `permit (principal, action in [Firma::Action::"communication.external.read", Firma::Action::"communication.external.manage"], resource);`;
  const subject = rig({ rules: RULES, policy });
  const batch = (...requests: string[]) =>
    decide(
      subject,
      "POST https://gmail.googleapis.com/batch/gmail/v1",
      requests.map((text) => `--b\r\nContent-Type: application/http\r\n\r\n${text}\r\n`).join("") +
        "--b--",
      "multipart/mixed; boundary=b",
    );
  const read = "GET /gmail/v1/users/me/messages/1\r\n\r\n";
  const label = (body: string) =>
    `POST /gmail/v1/users/me/messages/1/modify\r\nContent-Type: application/json\r\n\r\n${body}`;
  assert.equal(await batch(read, label('{"addLabelIds":["A"]}')), "forward");
  assert.equal(await batch(read, label('{"addLabelIds":["TRASH"]}')), "PolicyDenied");
  assert.equal(await batch(read, "DELETE /gmail/v1/users/me/messages/1\r\n\r\n"), "PolicyDenied");
  assert.equal(await batch(read, "GET /unheard/of\r\n\r\n"), "UnclassifiedIntent");
  assert.equal(await batch(read, "POST /batch\r\n\r\n"), "MalformedRequest");
});

Deno.test("a denied tool call is answered as its protocol wants, whyever it was denied", async () => {
  const subject = rig({ rules: RULES, policy: read("postures/dev.cedar") });
  for (const name of ["delete_file", "eraseEverything"]) {
    const verdict = await subject.gate.decide(request(TOOL, tool(name)));
    assert.ok(verdict.kind === "deny");
    assert.deepEqual(verdict.form, {
      kind: "mcp",
      requests: [{ id: 1, toolCall: true }],
      batch: false,
      resultType: false,
    });
  }
});
