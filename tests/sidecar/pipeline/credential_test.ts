import assert from "node:assert/strict";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import type { DecisionEvent } from "../../../src/core/event.ts";
import { mintPlaceholder } from "../../../src/secrets/placeholder_shapes.ts";
import { PlaceholderDesk } from "../../../src/sidecar/credentials/request_desk.ts";
import type { CredentialTarget } from "../../../src/sidecar/credentials/request_judge.ts";
import type { CallInput } from "../../../src/sidecar/gate.ts";
import { call, callTo, outcome, PEER, rig, session, SESSION_ID } from "./support.ts";

const RULES = `
[[rules]]
host = ["api.code.test", "other.test", "model.test"]
method = "GET"
path = "/**"
action_class = "code.read"

[[rules]]
host = ["api.code.test", "other.test"]
method = ["POST", "PUT"]
path = "/**"
action_class = "issue.write"

[[rules]]
host = "model.test"
method = "POST"
path = "/v1/messages"
action_class = "model.inference"
`;
const POLICY = `
@id("all") permit (principal, action, resource);
@id("foreign") forbid (principal, action in [Firma::Action::"issue.write"], resource)
when { context.credential_brokered && context.credential == "agent" };
`;

const CODE: CredentialTarget = {
  label: "code",
  edition: "1",
  hosts: [{ host: "api.code.test", port: 443 }],
  paths: [],
  actionClasses: [],
  header: "authorization",
};
const OWN = mintPlaceholder("github");
const OTHERS = mintPlaceholder("github");
const ENDED = mintPlaceholder("github");
const UNKNOWN = mintPlaceholder("fsp");
/** Of an agent that brings a credential of its own. */
const FOREIGN = "ghp_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

function subject(target: CredentialTarget = CODE) {
  const desk = new PlaceholderDesk([target]);
  const placeholder = (text: string) => [{ text, label: "code", part: 0 }];
  desk.book.open(SESSION_ID, placeholder(OWN));
  desk.book.open("ses_other", placeholder(OTHERS));
  desk.book.open("ses_ended", placeholder(ENDED));
  desk.book.end("ses_ended");
  return rig({ desk, rules: RULES, policy: POLICY });
}

type Sent = Partial<CallInput> & { readonly host?: string };

/** The decision about a call, and its record. */
async function decided(sent: Sent, target?: CredentialTarget) {
  const { host = "api.code.test", ...changes } = sent;
  const { gate, events } = subject(target);
  const verdict = await gate.decide(callTo(host, { target: "/things", ...changes }));
  const event = events.all.at(-1) as DecisionEvent;
  return { said: outcome(verdict), event, verdict };
}

const header = (name: string, value: string): Sent => ({ headers: [[name, value]] });

function body(text: string | Uint8Array, type: string, headers: CallInput["headers"] = []): Sent {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  return {
    method: "POST",
    headers: [["content-type", type], ["content-length", `${bytes.length}`], ...headers],
    readBody: (limit) => Promise.resolve(bytes.length <= limit ? bytes : undefined),
  };
}

const JSON_TYPE = "application/json";
const FORM_TYPE = "application/x-www-form-urlencoded";
const escaped = (text: string) =>
  [...text].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");
const percent = (text: string) => [...text].map((c) => `%${c.charCodeAt(0).toString(16)}`).join("");

Deno.test("a placeholder leaves for the host of its credential, in a place for secrets", async () => {
  const calls: Record<string, Sent> = {
    "a bearer token": header("authorization", `Bearer ${OWN}`),
    "a password in Basic": header("authorization", `Basic ${btoa(`x:${OWN}`)}`),
    "a key in a header": header("x-api-key", OWN),
    "a parameter": { target: `/things?access_token=${OWN}` },
    "a parameter, percent-encoded": { target: `/things?token=${percent(OWN)}` },
    "a member of JSON": body(JSON.stringify({ refresh_token: OWN }), JSON_TYPE),
    "a member of JSON, escaped": body(`{"token":"${escaped(OWN)}"}`, JSON_TYPE),
    "a field of a form": body(`client_secret=${OWN}`, FORM_TYPE),
  };
  for (const [name, sent] of Object.entries(calls)) {
    const { said, event, verdict } = await decided(sent);
    assert.equal(said, "forward", name);
    assert.deepEqual(event.envelope?.credential, { brokered: true, carries: "broker" }, name);
    assert.ok(verdict.kind === "forward");
    assert.deepEqual(verdict.placeholders?.labels, ["code"], name);
  }
});

Deno.test("a placeholder on its way to any other host is refused, and that is what is recorded", async () => {
  const calls: Record<string, Sent> = {
    "another mapped host": { ...header("authorization", `Bearer ${OWN}`), host: "other.test" },
    "a host that nothing names": {
      ...header("authorization", `Bearer ${OWN}`),
      host: "evil.test",
    },
    "the body of a call to a host that nothing names": {
      ...body(OWN, "text/plain"),
      host: "evil.test",
    },
    "in Basic": { ...header("authorization", `Basic ${btoa(`x:${OWN}`)}`), host: "other.test" },
    "any header": { ...header("user-agent", `curl/${OWN}`), host: "other.test" },
    "the path": { target: `/${OWN}/x`, host: "other.test" },
    "the path, percent-encoded": { target: `/${percent(OWN)}/x`, host: "other.test" },
    "the query": { target: `/things?q=${OWN}`, host: "other.test" },
    "the query, percent-encoded": { target: `/things?q=${percent(OWN)}`, host: "other.test" },
    "the name of a parameter": { target: `/things?${percent(OWN)}`, host: "other.test" },
    "JSON": { ...body(JSON.stringify({ a: OWN }), JSON_TYPE), host: "other.test" },
    "JSON, escaped": { ...body(`["${escaped(OWN)}"]`, JSON_TYPE), host: "other.test" },
    "a form": { ...body(`a=${percent(OWN)}`, FORM_TYPE), host: "other.test" },
    "a file": { ...body(`\0\0${OWN}\0`, "application/octet-stream"), host: "other.test" },
    "a file in several parts": {
      ...body(`--x\r\n\r\n${OWN}`, "multipart/form-data"),
      host: "other.test",
    },
    "gzip": {
      ...body(gzipSync(OWN), "text/plain", [["content-encoding", "gzip"]]),
      host: "other.test",
    },
    "br": {
      ...body(brotliCompressSync(`{"a":"${escaped(OWN)}"}`), JSON_TYPE, [[
        "content-encoding",
        "br",
      ]]),
      host: "other.test",
    },
    "packed twice": {
      ...body(gzipSync(deflateSync(OWN)), "text/plain", [["content-encoding", "deflate, gzip"]]),
      host: "other.test",
    },
  };
  for (const [name, sent] of Object.entries(calls)) {
    const { said, event } = await decided(sent);
    assert.equal(said, "PlaceholderRefused", name);
    assert.match(event.detail, /the placeholder of credential "code", which is not for this host/);
    assert.ok(!JSON.stringify({ ...event, resource: "" }).includes(OWN), name);
  }
});

Deno.test("the same calls without a placeholder go out to another host", async () => {
  for (
    const sent of [
      header("authorization", "Bearer something"),
      { target: "/things?q=1" },
      body(JSON.stringify({ a: "b" }), JSON_TYPE),
      body(gzipSync("nothing"), "text/plain", [["content-encoding", "gzip"]]),
      body("a=b", FORM_TYPE),
    ]
  ) assert.equal((await decided({ ...sent, host: "other.test" })).said, "forward");
});

Deno.test("a placeholder on another port, or in clear, is not at the host of its credential", async () => {
  const headers = [["authorization", `Bearer ${OWN}`]] as const;
  const { gate } = subject();
  const elsewhere = [
    callTo("api.code.test", {
      authority: "api.code.test:8443",
      tunnel: { connectHost: "api.code.test", connectPort: 8443 },
      headers,
    }),
    call({ scheme: "http", tunnel: undefined as never, headers }),
  ];
  for (const input of elsewhere) {
    assert.equal(outcome(await gate.decide(input)), "PlaceholderRefused");
  }
});

Deno.test("a placeholder is refused where what it stands for would be public, at its own host too", async () => {
  const calls: Record<string, Sent> = {
    "the text of an issue": body(JSON.stringify({ title: "x", body: OWN }), JSON_TYPE),
    "the same, escaped": body(`{"body":"${escaped(OWN)}"}`, JSON_TYPE),
    "JSON within the text": body(JSON.stringify({ body: `{"token":"${OWN}"}` }), JSON_TYPE),
    "a form": body(`body=${OWN}`, FORM_TYPE),
    "a file": body(OWN, "text/plain"),
    "a secret member of what is packed": body(
      gzipSync(JSON.stringify({ token: OWN })),
      JSON_TYPE,
      [["content-encoding", "gzip"]],
    ),
    "JSON that says it is text": body(JSON.stringify({ token: OWN }), "text/plain"),
    "JSON that says it is two things": body(JSON.stringify({ token: OWN }), JSON_TYPE, [
      ["content-type", "text/plain"],
    ]),
    "a search": { target: `/search?q=${OWN}` },
    "the path": { target: `/things/${OWN}` },
    "a header that servers write down": header("user-agent", OWN),
    "a cookie": header("cookie", `a=${OWN}`),
  };
  for (const [name, sent] of Object.entries(calls)) {
    const { said, event } = await decided(sent);
    assert.equal(said, "PlaceholderRefused", name);
    assert.match(event.detail, /of credential "code", in /, name);
  }
});

Deno.test("placeholders of others, of the past and of nobody are refused everywhere", async () => {
  const details: Record<string, RegExp> = {
    [OTHERS]: /of another session/,
    [ENDED]: /of another session/,
    [UNKNOWN]: /stands for nothing/,
  };
  for (const [text, detail] of Object.entries(details)) {
    const { said, event } = await decided(header("authorization", `Bearer ${text}`));
    assert.equal(said, "PlaceholderRefused");
    assert.match(event.detail, detail);
  }
  const wide = subject();
  wide.sessions.open(session({ sessionId: "ses_ended" }));
  const own = { peer: { ...PEER, sessionId: "ses_ended" } };
  const said = await wide.gate.decide(
    callTo("api.code.test", { ...own, ...header("authorization", `Bearer ${ENDED}`) }),
  );
  assert.equal(outcome(said), "PlaceholderRefused");
});

Deno.test("a credential for some paths and actions is swapped in no other call", async () => {
  const narrow = { ...CODE, paths: ["/repos"], actionClasses: ["code.read"] };
  const headers = header("authorization", `Bearer ${OWN}`);
  const { said } = await decided({ ...headers, target: "/repos/acme" }, narrow);
  assert.equal(said, "forward");
  for (const sent of [{ target: "/reposit" }, { target: "/repos/x", method: "POST" }]) {
    const { said, event } = await decided({ ...headers, ...sent }, narrow);
    assert.equal(said, "PlaceholderRefused");
    assert.match(event.detail, /not for this path or action/);
  }
});

Deno.test("an agent may talk with its model about what it holds, and nothing is swapped there", async () => {
  const talk = { messages: [{ content: `GH_TOKEN=${OWN}` }, { content: ENDED }] };
  const sent = { ...body(JSON.stringify(talk), JSON_TYPE), target: "/v1/messages" };
  const { said, verdict } = await decided({ ...sent, host: "model.test" });
  assert.equal(said, "forward");
  assert.ok(verdict.kind === "forward");
  assert.deepEqual(verdict.placeholders?.labels ?? [], []);
  const inHeader = { ...sent, headers: [...sent.headers!, ["authorization", OWN] as const] };
  assert.equal((await decided({ ...inHeader, host: "model.test" })).said, "PlaceholderRefused");
});

Deno.test("what is packed and cannot be looked through does not leave", async () => {
  const bomb = gzipSync(new Uint8Array(80 * 1024 * 1024), { level: 1 });
  const packed = [["content-encoding", "gzip"]] as const;
  const short = gzipSync("x".repeat(100)).subarray(0, 20);
  for (const bytes of [short, bomb]) {
    const { said } = await decided({ ...body(bytes, "text/plain", packed), host: "other.test" });
    assert.equal(said, "MalformedRequest");
  }
});

Deno.test("a body that is too large to be looked at is watched on its way", async () => {
  const { said, verdict } = await decided(body("x".repeat(2_000), "text/plain"));
  assert.equal(said, "forward");
  assert.ok(verdict.kind === "forward");
  assert.equal(verdict.placeholders?.isBodyKnown, false);
});

Deno.test("context.credential says whose credential a call would carry", async () => {
  const cases: [string, Sent, { brokered: boolean; carries: string }][] = [
    ["nothing, at a host of a credential", {}, { brokered: true, carries: "broker" }],
    ["nothing, elsewhere", { host: "other.test" }, { brokered: false, carries: "none" }],
    [
      "the header that the broker replaces",
      header("authorization", `Bearer ${FOREIGN}`),
      { brokered: true, carries: "broker" },
    ],
    ["another header", header("x-api-key", FOREIGN), { brokered: true, carries: "agent" }],
    ["a cookie", header("cookie", "session=1"), { brokered: true, carries: "agent" }],
    ["a parameter", { target: `/x?api_key=${FOREIGN}` }, { brokered: true, carries: "agent" }],
    ["a signed URL", { target: "/x?X-Amz-Signature=00" }, { brokered: true, carries: "agent" }],
    ["an empty header", header("x-api-key", " "), { brokered: true, carries: "broker" }],
    [
      "one of its own, elsewhere",
      { ...header("authorization", `Bearer ${FOREIGN}`), host: "other.test" },
      { brokered: false, carries: "agent" },
    ],
    [
      "its own beside a placeholder",
      { headers: [["authorization", `Bearer ${OWN}`], ["x-api-key", FOREIGN]] },
      { brokered: true, carries: "agent" },
    ],
  ];
  for (const [name, sent, wanted] of cases) {
    const { event } = await decided(sent);
    assert.deepEqual(event.envelope?.credential, wanted, name);
  }
});

Deno.test("a policy forbids writing with an agent's own credential, and nothing else", async () => {
  const json = body("{}", JSON_TYPE);
  const own = [["x-api-key", FOREIGN]] as const;
  const { said, event } = await decided({ ...json, headers: [...json.headers!, ...own] });
  assert.equal(said, "PolicyDenied");
  assert.deepEqual(event.policy_ids, ["foreign"]);
  assert.equal((await decided({ headers: own })).said, "forward");
  assert.equal((await decided(json)).said, "forward");
});

Deno.test("without credentials nothing is looked for", async () => {
  const plain = rig({ rules: RULES, policy: POLICY });
  let read = false;
  const readBody = () => {
    read = true;
    return Promise.resolve(new Uint8Array());
  };
  const verdict = await plain.gate.decide(
    callTo("api.code.test", { ...body("{}", JSON_TYPE), readBody, target: `/x?q=${UNKNOWN}` }),
  );
  assert.equal(outcome(verdict), "forward");
  assert.ok(!read);
  assert.ok(verdict.kind === "forward");
  assert.equal(verdict.placeholders, undefined);
});
