import assert from "node:assert/strict";
import fc from "fast-check";
import table from "../../../packs/tables/github_mcp_tools.json" with { type: "json" };
import type { Headers } from "../../../src/mapping/decoders/decoder.ts";
import { mcp } from "../../../src/mapping/decoders/mcp.ts";
import { classes, decoded, input, MALFORMED, type Sketch, UNCLASSIFIED } from "./support.ts";

const JSON_TYPE = ["content-type", "application/json"] as const;
const GITHUB = "https://api.githubcopilot.com/mcp/";
const OTHER = "https://mcp.other.test/";

function send(body: unknown, headers: Headers = [], url = GITHUB): Sketch {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return { url, headers: [JSON_TYPE, ...headers], body: text };
}

function message(method: string, params?: unknown, id: unknown = 1): Record<string, unknown> {
  return { jsonrpc: "2.0", id, method, ...(params === undefined ? {} : { params }) };
}

const tool = (name: string, values: Record<string, unknown> = {}) =>
  message("tools/call", { name, arguments: values });

const version = (revision: string): Headers => [["mcp-protocol-version", revision]];

Deno.test("mcp() gives every tool of GitHub's server the class of the table", () => {
  assert.equal(Object.keys(table.classes).length, 117);
  for (const [name, expected] of Object.entries(table.classes)) {
    assert.deepEqual(classes(mcp, send(tool(name))), [expected], name);
  }
});

Deno.test("mcp() does not classify a tool that the table does not know", () => {
  assert.equal(classes(mcp, send(tool("erase_everything"))), UNCLASSIFIED);
  assert.equal(classes(mcp, send(tool("Get_me"))), UNCLASSIFIED);
  // At a server without a table the operator's rule decides, and policies see the name.
  assert.deepEqual(decoded(mcp, send(tool("erase_everything"), [], OTHER)), [
    ["code.read", { mcp_method: "tools/call", mcp_tool: "erase_everything" }],
  ]);
});

Deno.test("mcp() knows GitHub's server by its address, not by what a path looks like", () => {
  for (
    const url of [
      "https://api.githubcopilot.com/mcp",
      "https://api.business.githubcopilot.com/mcp/x/repos",
    ]
  ) {
    assert.equal(classes(mcp, send(tool("unheard_of"), [], url)), UNCLASSIFIED, url);
  }
  assert.deepEqual(
    classes(mcp, send(tool("unheard_of"), [], "https://evil.test/api.githubcopilot.com/mcp")),
    ["code.read"],
  );
});

Deno.test("mcp() looks at the arguments of a tool that does several things", () => {
  const run = (method: string) => classes(mcp, send(tool("actions_run_trigger", { method })));
  assert.deepEqual(run("rerun_workflow_run"), ["code.write"]);
  assert.deepEqual(run("delete_workflow_run_logs"), ["code.destructive"]);
  const push = (path: string) =>
    classes(mcp, send(tool("push_files", { files: [{ path: "a" }, { path }] })));
  assert.deepEqual(push("src/main.ts"), ["code.write"]);
  assert.equal(push(".github/workflows/x.yml").length, 2);
});

Deno.test("mcp() tells policies which repository and branch a tool is for", () => {
  const call = tool("push_files", { owner: "Acme", repo: "Rocket", branch: "main" });
  assert.deepEqual(decoded(mcp, send(call)), [["code.write", {
    mcp_method: "tools/call",
    mcp_tool: "push_files",
    git_provider: "github",
    git_owner: "acme",
    git_repo: "rocket",
    git_ref: "refs/heads/main",
    git_ref_type: "branch",
    git_operation: "update",
    git_forced: false,
  }]]);
});

Deno.test("mcp() takes what calls no tool for what the rule says", () => {
  for (const method of ["initialize", "ping", "tools/list", "server/discover", "tasks/get"]) {
    assert.deepEqual(classes(mcp, send(message(method))), ["code.read"], method);
  }
  const notification = { jsonrpc: "2.0", method: "notifications/initialized" };
  assert.deepEqual(classes(mcp, send(notification)), ["code.read"]);
  assert.deepEqual(classes(mcp, send({ jsonrpc: "2.0", id: 1, result: {} })), ["code.read"]);
  assert.deepEqual(classes(mcp, { url: GITHUB, method: "GET" }), ["code.read"]);
  assert.deepEqual(classes(mcp, { url: GITHUB, method: "DELETE" }), ["code.read"]);
  assert.equal(classes(mcp, send(message("tools/explode"))), UNCLASSIFIED);
});

Deno.test("mcp() knows every revision, and no other", () => {
  for (const revision of ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]) {
    assert.deepEqual(classes(mcp, send(tool("get_me"), version(revision))), ["code.read"]);
  }
  assert.equal(classes(mcp, send(tool("get_me"), version("2027-01-01"))), MALFORMED);
  // A client may ask for a revision that nobody knows yet: it gets an older one.
  const hello = message("initialize", { protocolVersion: "2027-01-01" });
  assert.deepEqual(classes(mcp, send(hello)), ["code.read"]);
});

const META = { "io.modelcontextprotocol/protocolVersion": "2026-07-28" };
const CURRENT = message("tools/call", { name: "get_me", _meta: META });
const HEADERS: Headers = [
  ["mcp-protocol-version", "2026-07-28"],
  ["mcp-method", "tools/call"],
  ["mcp-name", "get_me"],
];

Deno.test("mcp() wants the headers of 2026-07-28 to say what the body says", () => {
  assert.deepEqual(classes(mcp, send(CURRENT, HEADERS)), ["code.read"]);
  const encoded = HEADERS.map(([name, value]) =>
    [name, name === "mcp-name" ? `=?base64?${btoa(value)}?=` : value] as const
  );
  assert.deepEqual(classes(mcp, send(CURRENT, encoded)), ["code.read"]);
  const without = (gone: string) => HEADERS.filter(([name]) => name !== gone);
  for (const name of ["mcp-method", "mcp-name"]) {
    assert.equal(classes(mcp, send(CURRENT, without(name))), MALFORMED, `no ${name}`);
    const wrong = [...without(name), [name, "delete_file"]] as Headers;
    assert.equal(classes(mcp, send(CURRENT, wrong)), MALFORMED, `another ${name}`);
    const twice = [...HEADERS, [name, "delete_file"]] as Headers;
    assert.equal(classes(mcp, send(CURRENT, twice)), MALFORMED, `${name} twice`);
  }
  const older = [["mcp-protocol-version", "2025-11-25"], ...HEADERS.slice(1)] as Headers;
  assert.equal(classes(mcp, send(CURRENT, older)), MALFORMED, "another revision");
  // Of the older revisions they are not required, but must not lie either.
  assert.equal(classes(mcp, send(tool("get_me"), [["mcp-name", "delete_file"]])), MALFORMED);
  const parameter: Headers = [["mcp-param-owner", "acme"]];
  assert.equal(classes(mcp, send(tool("get_me", { owner: "evil" }), parameter)), MALFORMED);
  assert.deepEqual(classes(mcp, send(tool("get_me", { owner: "acme" }), parameter)), ["code.read"]);
});

Deno.test("mcp() takes arrays of 2025-03-26 alone, and classifies each message", () => {
  const batch = [tool("get_me"), tool("delete_file")];
  assert.deepEqual(classes(mcp, send(batch)), ["code.read", "code.destructive"]);
  assert.deepEqual(classes(mcp, send(batch, version("2025-03-26"))).length, 2);
  for (const revision of ["2024-11-05", "2025-06-18", "2025-11-25", "2026-07-28"]) {
    assert.equal(classes(mcp, send(batch, version(revision))), MALFORMED, revision);
  }
});

Deno.test("mcp() says how a denied call is to be answered", () => {
  const form = (sketch: Sketch) => {
    const result = mcp.decode(input(sketch));
    return result.ok ? result.value.denialForm : result.error.denialForm;
  };
  assert.deepEqual(form(send(CURRENT, HEADERS)), {
    kind: "mcp",
    requests: [{ id: 1, toolCall: true }],
    batch: false,
    resultType: true,
  });
  assert.deepEqual(form(send(tool("erase_everything"))), {
    kind: "mcp",
    requests: [{ id: 1, toolCall: true }],
    batch: false,
    resultType: false,
  });
  assert.equal(form(send({ jsonrpc: "2.0", method: "notifications/cancelled" })), undefined);
});

const REFUSED: Record<string, Sketch> = {
  "a name twice": send(
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_me","name":"delete_file"}}',
  ),
  "a name twice in another case, which Go takes": send(
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_me","Name":"delete_file"}}',
  ),
  "a method in another case": send({ jsonrpc: "2.0", id: 1, Method: "tools/call" }),
  "a method with a long s": send({ jsonrpc: "2.0", id: 1, method: "ping", "param\u017f": {} }),
  "another version of JSON-RPC": send({ id: 1, method: "ping" }),
  "parameters that are a list": send(message("tools/call", ["get_me"])),
  "a tool call without a tool": send(message("tools/call", {})),
  "arguments that are text": send(message("tools/call", { name: "get_me", arguments: "x" })),
  "an empty array": send([]),
  "another content type": { ...send(tool("get_me")), headers: [["content-type", "text/plain"]] },
  "no JSON": send("data: x"),
  "a body of a GET": { url: GITHUB, method: "GET", body: "x" },
};
for (const [what, sketch] of Object.entries(REFUSED)) {
  Deno.test(`mcp() refuses ${what}`, () => {
    assert.equal(classes(mcp, sketch), MALFORMED);
  });
}

Deno.test("mcp() never throws, whatever the message", () => {
  fc.assert(fc.property(fc.jsonValue(), (body) => {
    mcp.decode(input(send(JSON.stringify(body))));
  }));
  fc.assert(fc.property(fc.jsonValue(), fc.jsonValue(), (params, id) => {
    const body = { jsonrpc: "2.0", id, method: "tools/call", params };
    const result = mcp.decode(input(send(JSON.stringify(body))));
    assert.ok(result.ok || [MALFORMED, UNCLASSIFIED].includes(result.error.code));
  }));
  fc.assert(fc.property(fc.uint8Array(), (body) => {
    mcp.decode(input({ ...send(""), body }));
  }));
});
