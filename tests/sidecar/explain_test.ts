import assert from "node:assert/strict";
import { parseRequestLine } from "../../src/mapping/request_line.ts";
import { Explainer, type ExplainerOptions, type Explanation } from "../../src/sidecar/explain.ts";
import { bundle, on } from "../policy/support.ts";
import { POLICY, RULES } from "./pipeline/support.ts";

const AGENT = "agt_01jd8xk5w7e0v9c3b2n4m6q8rs";
const OPTIONS: ExplainerOptions = {
  mapping: [{ file: "rules.toml", text: RULES }],
  bundle: bundle(POLICY),
};

function explainer(changes: Partial<ExplainerOptions> = {}): Explainer {
  const created = Explainer.create({ ...OPTIONS, ...changes });
  if (!created.ok) assert.fail(JSON.stringify(created.error));
  return created.value;
}

function explain(
  subject: Explainer,
  line: string,
  changes: Partial<Parameters<Explainer["explain"]>[0]> = {},
): Promise<Explanation> {
  const request = parseRequestLine(line);
  if (!request.ok) assert.fail(request.error.message);
  const call = { request: request.value, headers: [], body: new Uint8Array(), ...changes };
  return subject.explain(call);
}

Deno.test("Explainer.explain() tells rule, class, token and who decided", async () => {
  const said = await explain(explainer(), "DELETE https://API.code.test:443/repos/a/b");
  assert.equal(said.call?.host, "api.code.test");
  assert.equal(said.rule?.ref, "rules.toml:11");
  assert.deepEqual(said.lineage, ["code.destructive"]);
  assert.deepEqual(said.tokenScope, ["**"]);
  assert.deepEqual([said.decision, said.reason], ["DENY", "PolicyDenied"]);
  assert.deepEqual(said.policyIds, ["history"]);
  assert.deepEqual(said.policies, [
    { id: "history", effect: "forbid", determining: true, file: "test.cedar", line: 3 },
  ]);
});

Deno.test("Explainer.explain() names policies that were outweighed", async () => {
  const policies = `
@id("wide") permit (principal, action, resource);
@id("narrow") forbid ${on("code.read")};
@id("elsewhere") forbid (principal, action, resource) when { resource.host == "other.test" };
`;
  const guarded = policies.replace("resource.host ==", "resource has host && resource.host ==");
  const said = await explain(
    explainer({ bundle: bundle(guarded) }),
    "https://api.code.test/repos/a",
  );
  assert.deepEqual(said.policies.map(({ id, determining }) => [id, determining]), [
    ["narrow", true],
    ["wide", false],
  ]);
});

Deno.test("Explainer.explain() allows what is permitted, and decides by stated context", async () => {
  const policies = `
permit ${on("code.read")};
@id("late") forbid ${on("code.read")} when { context.action_count > 5 };
`;
  const subject = explainer({ bundle: bundle(policies) });
  assert.equal((await explain(subject, "https://api.code.test/repos/a")).decision, "ALLOW");
  const overrides = { action_count: 6 };
  const late = await explain(subject, "https://api.code.test/repos/a", { overrides });
  assert.deepEqual(late.policyIds, ["late"]);
});

Deno.test("Explainer.explain() says whose credential a call would carry", async () => {
  const hosts = [{ host: "api.code.test", port: 443 }];
  const target = {
    ...{ label: "code", edition: "1", hosts, paths: [], actionClasses: [] },
    header: "authorization",
  };
  const config = { connectors: [], bypassHosts: [], maxBodyBytes: 1024, credentials: [target] };
  const subject = explainer({ config });
  const call = "https://api.code.test/repos/a";
  const said = async (headers: [string, string][]) =>
    (await explain(subject, call, { headers })).credential;
  assert.deepEqual(await said([]), { brokered: true, carries: "broker" });
  assert.deepEqual(await said([["x-api-key", "own"]]), { brokered: true, carries: "agent" });
  const elsewhere = await explain(subject, "https://registry.test/x");
  assert.deepEqual(elsewhere.credential, { brokered: false, carries: "none" });
});

// Attack: what the data plane refuses before it has a class, each with what is let through.
Deno.test("Explainer.explain() refuses what the data plane refuses", async () => {
  const subject = explainer();
  const table: Record<string, string> = {
    "GET https://api.code.test/repos/a": "ALLOW ",
    "GET https://api.code.test/repos/../a": "DENY MalformedRequest",
    "GET https://api.code.test/repos/%2e%2e/a": "DENY MalformedRequest",
    "GET https://elsewhere.test/": "DENY UnclassifiedIntent",
    "GET http://127.0.0.1/": "DENY LoopbackBlocked",
    "CONNECT https://api.code.test": "DENY UnclassifiedIntent",
    "CONNECT https://pinned.test": "DENY PolicyDenied",
  };
  for (const [line, expected] of Object.entries(table)) {
    const { decision, reason } = await explain(subject, line);
    assert.equal(`${decision} ${reason}`, expected, line);
  }
  const headers = [["x-http-method-override", "DELETE"]] as const;
  const { reason } = await explain(subject, "GET https://api.code.test/repos/a", { headers });
  assert.equal(reason, "MalformedRequest");
});

Deno.test("Explainer.explain() lets unmapped hosts pass where the operator does", async () => {
  const said = await explain(explainer({ defaultProtected: false }), "https://elsewhere.test/");
  assert.deepEqual([said.decision, said.reason, said.lineage], ["PASSTHROUGH", "", []]);
});

Deno.test("Explainer.explain() grants the token that the issuance policies grant", async () => {
  const issuance = bundle(`permit ${on("system.install")};`);
  const subject = explainer({ issuance });
  const agentId = AGENT;
  const denied = await explain(subject, "https://api.code.test/repos/a", { agentId });
  assert.deepEqual([denied.reason, denied.policies], ["ToolNotInScope", []]);
  const allowed = await explain(subject, "https://registry.test/x", { agentId });
  assert.equal(allowed.decision, "ALLOW");
});

Deno.test("Explainer.create() reports every fault of mapping and policies", () => {
  const created = Explainer.create({
    mapping: [{ file: "rules.toml", text: "[[rules]]\n" }],
    bundle: bundle("permit"),
  });
  assert.ok(!created.ok);
  assert.deepEqual(
    new Set(created.error.map(({ code }) => code)),
    new Set(["MAPPING_RULE_INVALID", "POLICY_SYNTAX"]),
  );
});
