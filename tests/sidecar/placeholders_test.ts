import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { DecisionEvent, OutcomeEvent } from "../../src/core/event.ts";
import { type SeenRequest, startUpstream } from "../fixtures/upstream.ts";
import { HOST, Rig, RULES } from "./rig.ts";

const OTHER = "api.other.test";
const REAL = "real-secret-of-the-first";
const RULES_OF_BOTH = `${RULES}
[[rules]]
host = "${OTHER}"
action_class = "code.write"
`;
const POLICY = `@id("all") permit (principal, action, resource);\n`;

const hash = (text: string) => createHash("sha256").update(text).digest("hex");

function sent(seen: SeenRequest | undefined, name: string): string[] {
  const raw = seen?.rawHeaders ?? [];
  return raw.flatMap((word, at) =>
    at % 2 === 0 && word.toLowerCase() === name ? [raw[at + 1]!] : []
  );
}

/** A host with a credential, of which agents hold placeholders, and one without. */
async function start() {
  const other = await startUpstream(OTHER);
  const rig = await Rig.start({
    rules: RULES_OF_BOTH,
    policy: POLICY,
    env: { CODE_TOKEN: REAL },
    prepare: (dir) => Deno.writeTextFile(`${dir}/other-ca.pem`, other.caPem),
    more: `
[sidecar.interceptor]
max_request_body_size = "16 KiB"

[[sidecar.connector.hosts]]
host = "${OTHER}"
connect_addr = "127.0.0.1:${other.tlsPort}"
ca_cert_path = "other-ca.pem"

[sidecar.credentials.code]
provider = "environment"
variable = "CODE_TOKEN"
hosts = ["${HOST}"]
env = ["CODE_TOKEN"]
placeholder = "github"
`,
  });
  return {
    rig,
    other,
    async [Symbol.asyncDispose]() {
      await rig[Symbol.asyncDispose]();
      await other.close();
    },
  };
}

Deno.test("an agent works with placeholders, and no server but the right one gets the secret", async () => {
  await using both = await start();
  const { rig, other } = both;
  const session = await rig.session();
  const own = session.environment.CODE_TOKEN!;
  assert.match(own, /^ghp_[A-Za-z0-9]{36}$/);
  const last = () => rig.upstream.seen.at(-1);
  const header = (value: string) => ["--header", `Authorization: ${value}`];
  const post = (type: string, data: string) => [
    ...["--request", "POST", "--header", `Content-Type: ${type}`, "--data-binary", data],
  ];

  // In the way in which the agent writes it, for one and the same credential.
  assert.equal((await session.curl("/echo", ...header(`Bearer ${own}`))).status, 200);
  assert.deepEqual(sent(last(), "authorization"), [`Bearer ${REAL}`]);
  assert.equal((await session.curl("/echo", "--user", `x:${own}`)).status, 200);
  assert.deepEqual(sent(last(), "authorization"), [`Basic ${btoa(`x:${REAL}`)}`]);
  assert.equal((await session.curl(`/echo?access_token=${own}&x=1`)).status, 200);
  assert.equal(last()?.path, `/echo?access_token=${REAL}&x=1`);
  for (const version of ["--http1.1", "--http2"]) {
    const json = await session.curl(
      "/echo",
      version,
      ...post("application/json", JSON.stringify({ token: own, note: "x" })),
    );
    assert.equal(json.status, 200, json.body);
    const wanted = JSON.stringify({ token: REAL, note: "x" });
    // The answer says what came, in the words that the agent knows.
    assert.ok(json.body.includes(`Bearer ${own}`) && !json.body.includes(REAL));
    assert.equal(JSON.parse(json.body).body.sha256, hash(wanted), json.body);
    assert.deepEqual(sent(last(), "content-length"), [`${wanted.length}`]);
  }

  // Elsewhere, each is refused before anything leaves.
  const before = other.seen.length + rig.upstream.seen.length;
  const there = `https://${OTHER}/echo`;
  const attempts: string[][] = [
    [there, ...header(`Bearer ${own}`)],
    [`${there}?q=${own}`],
    [there, ...post("text/plain", own)],
    ["https://nobody.test/", ...header(`Bearer ${own}`)],
    ["/echo", ...post("application/json", JSON.stringify({ body: own }))],
    ["/echo", "--header", `User-Agent: ${own}`],
  ];
  for (const [url, ...args] of attempts) {
    const answer = await session.curl(url!, ...args);
    assert.equal(answer.reason, "PlaceholderRefused", `${url} ${args.join(" ")}: ${answer.body}`);
    assert.equal(answer.status, 403);
  }
  assert.equal(other.seen.length + rig.upstream.seen.length, before);
  const isRefusal = (event: { readonly kind: string }) =>
    event.kind === "decision" && (event as DecisionEvent).deny_reason === "PlaceholderRefused";
  const refused = await rig.event("the refusal", isRefusal) as DecisionEvent;
  assert.match(refused.detail, /placeholder of credential "code", which is not for this host/);

  // Of another session it is worth nothing.
  const foreign = await rig.session();
  assert.notEqual(foreign.environment.CODE_TOKEN, own);
  const stolen = await foreign.curl("/echo", ...header(`Bearer ${own}`));
  assert.equal(stolen.reason, "PlaceholderRefused");

  assert.ok(!JSON.stringify(other.seen).includes(REAL));
  const log = await Deno.readTextFile(rig.auditFile);
  for (const secret of [REAL, btoa(`x:${REAL}`)]) {
    assert.ok(!log.includes(secret) && !rig.stderr.includes(secret));
  }
});

Deno.test("an upload that is too large to be looked at ends before the placeholder in it", async () => {
  await using both = await start();
  const { rig } = both;
  const session = await rig.session();
  const own = session.environment.CODE_TOKEN!;
  const upload = (version: string, text: string) =>
    session.curl(
      `https://${OTHER}/upload`,
      ...[version, "--header", "Expect:", "--header", "Content-Type: application/octet-stream"],
      ...["--request", "POST", "--data-binary", text],
    );
  for (const version of ["--http1.1", "--http2"]) {
    const filler = "x".repeat(60_000);
    const plain = await upload(version, filler);
    assert.equal(plain.status, 200, plain.body);
    assert.equal(JSON.parse(plain.body).sha256, hash(filler));
    const broken = await upload(version, `${filler}${own}${filler}`);
    assert.equal(broken.reason, "CREDENTIAL_INJECTION_FAILED", broken.body);
    assert.equal(broken.status, 502);
  }
  const isAbort = (event: { readonly kind: string }) =>
    event.kind === "outcome" && (event as OutcomeEvent).abort_reason !== "";
  const outcome = await rig.event("the outcome", isAbort) as OutcomeEvent;
  assert.match(outcome.detail, /the placeholder of credential "code", which is not for this host/);
  assert.ok(outcome.request_bytes <= 60_000 + own.length, `${outcome.request_bytes}`);
});
