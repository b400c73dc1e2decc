import assert from "node:assert/strict";
import type { SignedEvent } from "../../src/core/event.ts";
import { eventually } from "../fixtures/deadline.ts";
import { type SeenRequest, startUpstream } from "../fixtures/upstream.ts";
import { HOST, Rig, RULES } from "./rig.ts";

const OTHER = "api.other.test";
const REAL = "real-secret-of-the-first";
const OTHERS = "real-secret-of-the-other";

const OTHER_RULES = `${RULES}
[[rules]]
host = "${OTHER}"
method = "GET"
action_class = "code.read"
`;

const credential = (label: string, host: string, lines: string) =>
  `[sidecar.credentials.${label}]\nhosts = ["${host}"]\n${lines}\n`;
const fromVariable = (name: string) => `provider = "environment"\nvariable = "${name}"`;

/** What a server was sent under a name. */
function sent(seen: SeenRequest | undefined, name: string): string[] {
  const raw = seen?.rawHeaders ?? [];
  return raw.flatMap((word, at) =>
    at % 2 === 0 && word.toLowerCase() === name ? [raw[at + 1]!] : []
  );
}

const holds = (seen: readonly SeenRequest[], secret: string) =>
  JSON.stringify(seen).includes(secret);

/** The broker that a Sidecar has started. */
async function brokerOf(sidecar: number): Promise<number> {
  for await (const { name } of Deno.readDir("/proc")) {
    const stat = /^\d+$/.test(name) &&
      await Deno.readTextFile(`/proc/${name}/stat`).catch(() => "");
    if (!stat || Number(/\) \S (\d+)/.exec(stat)?.[1]) !== sidecar) continue;
    const words = await Deno.readTextFile(`/proc/${name}/cmdline`);
    if (words.includes("__broker")) return Number(name);
  }
  throw new Error("Cannot find the broker: no child of the Sidecar is one");
}

/** Two hosts with a credential each, on two servers. */
async function startTwo() {
  const other = await startUpstream(OTHER);
  const rig = await Rig.start({
    rules: OTHER_RULES,
    env: { FIRST_KEY: REAL, OTHER_KEY: OTHERS },
    prepare: (dir) => Deno.writeTextFile(`${dir}/other-ca.pem`, other.caPem),
    more: `
[[sidecar.connector.hosts]]
host = "${OTHER}"
connect_addr = "127.0.0.1:${other.tlsPort}"
ca_cert_path = "other-ca.pem"
${credential("first", HOST, fromVariable("FIRST_KEY"))}
${credential("other", OTHER, `${fromVariable("OTHER_KEY")}\nheader = "x-api-key"`)}
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

Deno.test("each host gets its own credential, whatever an agent tries", async () => {
  await using two = await startTwo();
  const { rig, other } = two;
  const session = await rig.session();
  const first = await session.curl("/echo", "--header", "Authorization: Bearer the-agents-own");
  assert.equal(first.status, 200, first.body);
  assert.deepEqual(sent(rig.upstream.seen.at(-1), "authorization"), [`Bearer ${REAL}`]);
  assert.ok(!first.body.includes(REAL), "the server shows it, and the agent sees it");
  const second = await session.curl(`https://${OTHER}/echo`, "--http1.1");
  assert.equal(second.status, 200, second.body);
  assert.deepEqual(sent(other.seen.at(-1), "x-api-key"), [OTHERS]);

  // Host says one thing, the tunnel another.
  for (const name of [OTHER, `${HOST}.${OTHER}`, `${OTHER}@${HOST}`]) {
    const fronted = await session.curl("/echo", "--header", `Host: ${name}`);
    assert.equal(fronted.reason, "MalformedRequest", name);
  }
  // A redirect is a call of its own.
  const redirected = await session.curl("/redirect", "--location");
  assert.equal(redirected.status, 200);
  // One client, one connection each, in turns.
  const turns = await session.curl(
    `https://${OTHER}/echo`,
    ...["--http2", `https://${HOST}/echo`, `https://${OTHER}/echo`, `https://${HOST}/echo`],
  );
  assert.equal(turns.code, 0, turns.stderr);
  // In the clear, nothing is added.
  const clear = await session.curl(`http://${HOST}/echo`);
  assert.notEqual(clear.status, 0);

  assert.ok(!holds(rig.upstream.seen, OTHERS), "the other's credential reached the first");
  assert.ok(!holds(other.seen, REAL), "the first's credential reached the other");
  assert.ok(!holds(rig.upstream.seen, "the-agents-own"));
  for (const seen of other.seen) assert.deepEqual(sent(seen, "x-api-key"), [OTHERS]);

  // The record says which, and nobody's says what.
  await session.curl("/echo", "--request", "POST", "--data", "x");
  const log = await Deno.readTextFile(rig.auditFile);
  for (const secret of [REAL, OTHERS, btoa(REAL), btoa(OTHERS)]) {
    assert.ok(!log.includes(secret) && !rig.stderr.includes(secret));
    assert.ok(!JSON.stringify(rig.lines).includes(secret));
  }
  const outcome = await rig.event("the outcome", ({ kind }) => kind === "outcome");
  assert.ok(outcome.kind === "outcome");
  assert.deepEqual(outcome.credential, { label: "first", provider: "environment", scope: "" });
});

Deno.test("without its credential a call does not leave, and goes on when that is back", async () => {
  let dir = "";
  await using rig = await Rig.start({
    prepare: (made) => {
      dir = made;
      return Deno.writeTextFile(`${made}/token`, REAL, { mode: 0o644 });
    },
    // Each call asks the broker.
    more: credential("first", HOST, `provider = "file"\npath = "token"\nrefresh = "1ms"`),
  });
  const session = await rig.session();
  const aborted = await session.curl("/echo");
  assert.equal(aborted.status, 502);
  assert.equal(aborted.reason, "CREDENTIAL_INJECTION_FAILED");
  assert.ok(!aborted.body.includes("token"), "the agent hears where the secret lies");
  assert.equal(rig.upstream.seen.length, 0);
  const isAbort = (event: SignedEvent) => event.kind === "outcome";
  const outcome = await rig.event("the outcome", isAbort);
  assert.ok(outcome.kind === "outcome");
  assert.match(outcome.detail, /others can read ".*token"/);
  assert.equal(outcome.credential, undefined);

  await Deno.chmod(`${dir}/token`, 0o600);
  await eventually(
    "the credential",
    async () => (await session.curl("/echo")).status === 200 || undefined,
  );
  assert.deepEqual(sent(rig.upstream.seen.at(-1), "authorization"), [`Bearer ${REAL}`]);

  Deno.kill(await brokerOf(rig.pid), "SIGKILL");
  await eventually("the next broker", async () => {
    const { status, reason } = await session.curl("/echo");
    if (status === 200) return rig.notices(/broker serves again/)[0];
    assert.equal(reason, "CREDENTIAL_INJECTION_FAILED");
  });
  assert.equal(rig.notices(/credential broker ended \(signal SIGKILL\)/).length, 1);
  for (const seen of rig.upstream.seen) {
    assert.deepEqual(sent(seen, "authorization"), [`Bearer ${REAL}`], "one left without");
  }
  // What policies deny asks nobody.
  assert.equal((await session.curl("/echo", "--request", "POST")).reason, "PolicyDenied");
});

Deno.test("a data plane that starts again knows what its sessions were handed before anything goes out", async () => {
  await using two = await startTwo();
  const { rig } = two;
  const session = await rig.session();
  const leaked = async () => {
    const header = ["--header", `Authorization: ${REAL}`];
    return await session.curl(`https://${OTHER}/reflect/raw/identity/0`, ...header);
  };
  assert.equal((await leaked()).body, REAL, "nobody has handed that out yet");
  assert.equal((await session.curl("/echo")).status, 200);
  assert.ok(!(await leaked()).body.includes(REAL), "the control");
  const other = `\n[[rules]]\nhost = "new.test"\naction_class = "code.read"\n`;
  await Deno.writeTextFile(`${rig.dir}/mappings/test.toml`, OTHER_RULES + other);
  await eventually("the next data plane", () => rig.notices(/data plane starts again/)[0]);
  const after = await eventually("an answer", async () => {
    const answer = await leaked();
    return answer.status === 200 ? answer : undefined;
  });
  assert.ok(!after.body.includes(REAL), after.body);
});
