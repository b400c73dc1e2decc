import assert from "node:assert/strict";
import type { CredentialNeed, Issued } from "../../../src/broker/hand_out.ts";
import { err, ok, type Result } from "../../../src/core/result.ts";
import { BrokeredCredentials } from "../../../src/sidecar/credentials/brokered.ts";
import { SecretsOfSessions } from "../../../src/sidecar/credentials/response_secrets.ts";
import { HandOuts } from "../../../src/sidecar/credentials/hand_outs.ts";
import { PlaceholderDesk } from "../../../src/sidecar/credentials/request_desk.ts";
import type { ForwardVerdict } from "../../../src/sidecar/gate.ts";
import type {
  OutgoingRequest,
  UpstreamFailure,
  UpstreamResponse,
} from "../../../src/sidecar/transport/upstream.ts";

const NEED: CredentialNeed = {
  label: "a",
  edition: "1",
  host: "api.a.test",
  port: 443,
  actionClass: "code.read",
  resource: "",
  sessionId: "ses_1",
  agentId: "agt_1",
};

const issued = (secret: string, special: Partial<Issued> = {}): Issued => ({
  label: "a",
  headers: [["x-api-key", secret]],
  secrets: [secret],
  provider: "file",
  scope: "",
  usableUntilMs: 2_000,
  ...special,
});

let events = 0;

function verdict(special: Partial<ForwardVerdict> = {}): ForwardVerdict {
  const call = { method: "GET", scheme: "https", host: "api.a.test", port: 443 } as const;
  return {
    kind: "forward",
    eventId: `aevt_${++events}`,
    actionClass: "code.read",
    call: { ...call, path: "/", query: "" },
    route: { host: "api.a.test", port: 443, tls: true },
    dropHeaders: [],
    setHeaders: [],
    sessionId: "ses_1",
    need: NEED,
    signal: new AbortController().signal,
    ...special,
  };
}

function request(special: Partial<OutgoingRequest> = {}): OutgoingRequest {
  return {
    method: "GET",
    scheme: "https",
    authority: "api.a.test",
    target: "/",
    fields: [["accept", "*/*"], ["x-api-key", "the agent's"], ["x-api-key", "another"]],
    spellings: ["Accept", "X-Api-Key", "X-API-KEY"],
    takesTrailers: false,
    webSocket: false,
    body: undefined,
    ...special,
  };
}

function rig(answers: (need: CredentialNeed) => Result<Issued>) {
  const asked: CredentialNeed[] = [];
  const refused: string[] = [];
  const clock = { nowMs: 1_000 };
  const handOuts = new HandOuts(
    {
      ask: (need) => {
        asked.push(need);
        return Promise.resolve(answers(need));
      },
      refused: (label, scope) => refused.push(`${label}/${scope}`),
      capture: () => Promise.resolve(ok(undefined)),
    },
    { now: () => clock.nowMs },
  );
  return { asked, refused, clock, handOuts, credentials: new BrokeredCredentials(handOuts) };
}

const UNAVAILABLE: Result<Issued> = err({ code: "CREDENTIAL_UNOBTAINABLE", message: "Cannot" });

Deno.test("outgoing() puts the credential in place of everything that the agent sent there", async () => {
  const { credentials } = rig(() => ok(issued("real")));
  const sent = await credentials.outgoing(request(), verdict());
  assert.deepEqual(sent.fields, [["accept", "*/*"], ["x-api-key", "real"]]);
  assert.deepEqual(sent.spellings, ["Accept", "x-api-key"]);
});

Deno.test("outgoing() adds nothing to a call that needs nothing", () => {
  const { credentials, asked } = rig(() => ok(issued("real")));
  const { need: _, ...without } = verdict();
  const plain = request();
  assert.equal(credentials.outgoing(plain, without), plain);
  assert.equal(asked.length, 0);
  assert.equal(credentials.ended(without), undefined);
});

Deno.test("outgoing() fails where there is no credential to be had", async () => {
  const { credentials } = rig(() => UNAVAILABLE);
  await assert.rejects(
    async () => await credentials.outgoing(request(), verdict()),
    (error: UpstreamFailure) => error.reason === "CREDENTIAL_INJECTION_FAILED",
  );
});

Deno.test("outgoing() carries no credential to a host that is not its own", async () => {
  const { credentials, handOuts } = rig(() => ok(issued("real")));
  await credentials.outgoing(request(), verdict()); // there is one that could be taken by mistake
  const route = { host: "api.a.test", port: 443, tls: true };
  const attacks: [string, OutgoingRequest, ForwardVerdict][] = [
    ["another Host", request({ authority: "evil.test" }), verdict()],
    ["a port in Host", request({ authority: "api.a.test:8443" }), verdict()],
    ["another connection", request(), verdict({ route: { ...route, host: "evil.test" } })],
    ["another port", request(), verdict({ route: { ...route, port: 8443 } })],
    ["no TLS", request(), verdict({ route: { ...route, tls: false } })],
    ["in the clear", request({ scheme: "http" }), verdict()],
  ];
  for (const [name, outgoing, where] of attacks) {
    await assert.rejects(
      async () => await credentials.outgoing(outgoing, where),
      (error: UpstreamFailure) => error.reason === "CREDENTIAL_INJECTION_FAILED",
      name,
    );
  }
  assert.ok(!(handOuts.get(NEED) instanceof Promise));
  await credentials.outgoing(request(), verdict()); // and still goes where it belongs
});

Deno.test("ended() says which credential a call had, and nothing of what it was", async () => {
  const { credentials } = rig(() =>
    ok(issued("real", { scope: "acme/api", expiresAtMs: Date.UTC(2030, 0) }))
  );
  const call = verdict();
  await credentials.outgoing(request(), call);
  const record = { label: "a", provider: "file", scope: "acme/api" };
  assert.deepEqual(credentials.ended(call), { ...record, expires_at: "2030-01-01T00:00:00.000Z" });
  assert.equal(credentials.ended(call), undefined);
});

Deno.test("incoming() gives a kept credential up that a server refuses, and not a new one", async () => {
  let secrets = 0;
  const { credentials, refused, asked } = rig(() => ok(issued(`real-${++secrets}`)));
  const answered = async (status: number) => {
    const call = verdict();
    const { fields } = await credentials.outgoing(request(), call);
    const response = { status, reason: "", fields: [], spellings: undefined, body: undefined };
    assert.equal(credentials.incoming(response, call), response);
    credentials.ended(call);
    return fields.at(-1)![1];
  };
  assert.equal(await answered(401), "real-1");
  assert.deepEqual(refused, [], "it was fetched for this very call");
  assert.equal(await answered(403), "real-1");
  assert.equal(await answered(401), "real-1");
  assert.deepEqual(refused, ["a/"]);
  assert.equal(await answered(200), "real-2");
  assert.equal(asked.length, 2);
});

Deno.test("get() asks once for what many calls wait for, and keeps it as long as it may be used", async () => {
  const { handOuts, asked, clock } = rig(() => ok(issued("real")));
  const calls = Array.from({ length: 1_000 }, () => handOuts.get(NEED));
  assert.equal(asked.length, 1);
  for (const call of calls) assert.ok((await call as Result<Issued>).ok);
  clock.nowMs = 1_999;
  assert.ok(!(handOuts.get(NEED) instanceof Promise));
  clock.nowMs = 2_000;
  assert.ok(handOuts.get(NEED) instanceof Promise, "it is used no longer than that");
  assert.equal(asked.length, 2);
});

Deno.test("get() keeps sessions, hosts, classes and resources apart", async () => {
  const { handOuts, asked } = rig(() => ok(issued("real")));
  await handOuts.get(NEED);
  const others: Partial<CredentialNeed>[] = [
    { sessionId: "ses_2" },
    { label: "b" },
    { host: "b.test" },
    { port: 8443 },
    { actionClass: "code.write" },
    { resource: "acme/api" },
  ];
  for (const other of others) {
    assert.ok(handOuts.get({ ...NEED, ...other }) instanceof Promise, JSON.stringify(other));
  }
  assert.equal(asked.length, 1 + others.length);
  handOuts.forget("ses_1");
  assert.ok(handOuts.get(NEED) instanceof Promise);
});

Deno.test("get() asks again after a failure", async () => {
  let fails = true;
  const { handOuts } = rig(() => fails ? UNAVAILABLE : ok(issued("real")));
  assert.equal((await handOuts.get(NEED) as Result<Issued>).ok, false);
  fails = false;
  assert.equal((await handOuts.get(NEED) as Result<Issued>).ok, true);
});

Deno.test("HandOuts tells of a secret before any call has it", async () => {
  const heard: string[] = [];
  const handOuts = new HandOuts(
    {
      ask: () => Promise.resolve(ok(issued("real"))),
      refused: () => {},
      capture: () => Promise.resolve(ok(undefined)),
    },
    {
      heard: (sessionId, { secrets }) => heard.push(`${sessionId} ${secrets}`),
      now: () => 1_000,
    },
  );
  const call = Promise.resolve(handOuts.get(NEED)).then(() => heard.push("used"));
  await call;
  assert.deepEqual(heard, ["ses_1 real", "used"]);
});

// Attack: an agent has so many other secrets handed out that the first one is not looked for any more.
Deno.test("HandOuts gives out nothing that answers are not searched for, however much came since", async () => {
  const secrets = new SecretsOfSessions();
  const handOuts = new HandOuts(
    {
      ask: ({ resource }) => Promise.resolve(ok(issued(`secret-for-${resource}`))),
      refused: () => {},
      capture: () => Promise.resolve(ok(undefined)),
    },
    {
      heard: (...handed) => secrets.learn(...handed),
      reused: (...handed) => secrets.renew(...handed),
      now: () => 1_000,
    },
  );
  const use = async (resource: string) => {
    await handOuts.get({ ...NEED, resource });
    return secrets.of(NEED.sessionId).placeholderOf(`secret-for-${resource}`);
  };
  assert.ok(await use("first"));
  for (let i = 0; i < 600; i++) await use(`acme/${i}`);
  assert.ok(await use("first"));
  for (let i = 600; i < 1_200; i++) await use(`acme/${i}`);
  assert.ok(await use("first"), "it was used not long ago");
  assert.ok(await use("acme/0"), "it is learnt again when it is used again");
});

Deno.test("HandOuts gives nothing of a credential that is another one by now, also to who waits", async () => {
  let edition = "1";
  const answers: ((issued: Issued) => void)[] = [];
  const handOuts = new HandOuts(
    {
      ask: () => new Promise((resolve) => answers.push((issued) => resolve(ok(issued)))),
      refused: () => {},
      capture: () => Promise.resolve(ok(undefined)),
    },
    { isInForce: (meant) => meant.edition === edition, now: () => 1_000 },
  );
  const waiting = Promise.resolve(handOuts.get(NEED));
  edition = "2";
  handOuts.review();
  answers[0]!(issued("the-first"));
  const late = await waiting;
  assert.ok("ok" in late && !late.ok && /changed or removed/.test(late.error.message));
  const old = await handOuts.get(NEED);
  assert.ok("ok" in old && !old.ok);
  assert.equal(answers.length, 1, "nobody is asked for what is not in force");

  const now = { ...NEED, edition };
  const next = Promise.resolve(handOuts.get(now));
  answers[1]!(issued("the-second"));
  const had = await next;
  assert.ok("ok" in had && had.ok);
  assert.equal(await handOuts.get(now), had.value, "the control");
  edition = "3";
  handOuts.review();
  const gone = await handOuts.get(now);
  assert.ok("ok" in gone && !gone.ok);
});

const AWS: Partial<Issued> = {
  headers: [],
  secrets: ["secret-access-key"],
  signing: {
    kind: "aws-sigv4",
    accessKeyId: "ASIAIOSFODNN7EXAMPLE",
    secretAccessKey: "secret-access-key",
  },
};
const BY_AGENT = "AWS4-HMAC-SHA256 Credential=AKIAFSP/20250101/eu-west-1/s3/aws4_request, " +
  `SignedHeaders=host;x-amz-date, Signature=${"0".repeat(64)}`;

Deno.test("outgoing() signs a call to AWS with keys that do not travel, and no other call", async () => {
  const signs = (fields: OutgoingRequest["fields"]) =>
    rig(() => ok(issued("", AWS))).credentials.outgoing(
      request({ fields, spellings: undefined }),
      verdict(),
    );
  const sent = await signs([["authorization", BY_AGENT], ["x-amz-security-token", "agent's"]]);
  assert.deepEqual(sent.fields.map(([name]) => name), ["x-amz-date", "authorization"]);
  assert.match(sent.fields[1]![1], /Credential=ASIAIOSFODNN7EXAMPLE\/\d{8}\/eu-west-1\/s3\//);
  assert.doesNotMatch(JSON.stringify(sent), /secret-access-key|AKIAFSP/);
  for (const fields of [[], [["authorization", "Bearer agent's"]]] as OutgoingRequest["fields"][]) {
    await assert.rejects(
      async () => await signs(fields),
      ({ message, reason }: UpstreamFailure) =>
        reason === "CREDENTIAL_INJECTION_FAILED" && message.startsWith("the call cannot be signed"),
    );
  }
});

Deno.test("what an agent says over a WebSocket goes out with secrets, and is refused elsewhere", async () => {
  const { handOuts } = rig(() => ok(issued("the-secret")));
  const hosts = [{ host: NEED.host, port: 443 }];
  const target = {
    label: "a",
    edition: "1",
    hosts,
    paths: [],
    actionClasses: [],
    header: "x-api-key",
  };
  const desk = new PlaceholderDesk([target]);
  const held = "ghp_0123456789abcdefghijklmnopqrstuvwxyz";
  desk.book.open("ses_1", [{ text: held, label: "a", part: 0 }]);
  const credentials = new BrokeredCredentials(handOuts, desk);
  const opened = async (call: ForwardVerdict) => {
    await credentials.outgoing(request({ webSocket: true }), call);
    const upgraded = {} as NonNullable<UpstreamResponse["upgraded"]>;
    const response = { status: 101, reason: "", fields: [], spellings: undefined, body: undefined };
    const seen = credentials.incoming({ ...response, upgraded }, call);
    assert.ok(!(seen instanceof Promise));
    return seen.upgraded!.toUpstream!;
  };
  // In the clear, but for a mask of zeros.
  const text = JSON.stringify({ token: held });
  const frame = [0x81, 0x80 | text.length, 0, 0, 0, 0, ...new TextEncoder().encode(text)];
  const said = (await opened(verdict())).push(Uint8Array.from(frame));
  const mask = said.subarray(2, 6);
  const sent = said.subarray(6).map((byte, i) => byte ^ mask[i % 4]!);
  assert.equal(new TextDecoder().decode(sent), JSON.stringify({ token: "the-secret" }));

  // What held when it opened does not hold for ever.
  const changes = [
    { targets: [{ ...target, edition: "2" }], why: /was changed since the call began/ },
    { targets: [], why: /which there is none of any more/ },
  ];
  for (const { targets, why } of changes) {
    const lasting = await opened(verdict());
    assert.doesNotThrow(() => lasting.push(Uint8Array.from(frame)));
    desk.setTargets(targets, [target]);
    assert.throws(() => lasting.push(Uint8Array.from(frame)), why);
    desk.setTargets([target], []);
  }

  const { need: _, ...elsewhere } = verdict();
  const other = { ...elsewhere.call, host: "api.b.test" };
  const there = await opened({ ...elsewhere, call: other });
  assert.throws(
    () => there.push(Uint8Array.from(frame)),
    ({ reason, message }: UpstreamFailure) =>
      reason === "CREDENTIAL_INJECTION_FAILED" && /not for this host/.test(message),
  );
});
