import assert from "node:assert/strict";
import fc from "fast-check";
import {
  advanceSession,
  INITIAL_SESSION_STATE,
  sessionStep,
} from "../../../src/core/session_state.ts";
import { newId } from "../../../src/core/id.ts";
import type { DecisionEvent } from "../../../src/core/event.ts";
import type { CallInput, Verdict } from "../../../src/sidecar/gate.ts";
import { bundle } from "../../policy/support.ts";
import {
  AGENT_ID,
  call,
  callTo,
  claims,
  NOW_MS,
  outcome,
  PEER,
  POLICY,
  rig,
  RULES,
  SANDBOX_ID,
  SESSION_ID,
  TOKEN_ID,
} from "./support.ts";

const OUTCOME = {
  status: 200,
  abortReason: "",
  detail: "",
  requestBytes: 1,
  responseBytes: 2,
  headLatencyUs: 3,
  latencyUs: 4,
} as const;

Deno.test("decide() forwards what policy permits, with its record handed over first", () => {
  const subject = rig();
  const verdict = subject.decide(call({ target: "/repos/acme/rocket?token=abc" }));
  assert.equal(verdict.kind, "forward");
  assert.deepEqual(subject.events.urgent, [verdict.eventId]);
  const { timestamp: _timestamp, latency_us: _latency, envelope: _envelope, ...event } =
    subject.events.last;
  assert.deepEqual(event, {
    event_id: verdict.eventId,
    sandbox_id: SANDBOX_ID,
    session_id: SESSION_ID,
    agent_id: AGENT_ID,
    kind: "decision",
    decision: "ALLOW",
    deny_reason: "",
    detail: "",
    action_class: "code.read",
    resource: "api.code.test/repos/acme/rocket?token=abc",
    method: "GET",
    token_id: TOKEN_ID,
    bundle_version: bundle(POLICY).version,
    policy_ids: ["reading"],
  });
});

Deno.test("decide() tells the agent in a problem document what was refused and why", () => {
  const subject = rig();
  const verdict = subject.decide(call({ method: "DELETE", target: "/repos/acme/rocket?secret=1" }));
  assert.ok(verdict.kind === "deny");
  assert.deepEqual(verdict.problem, {
    type: "urn:firma:deny:PolicyDenied",
    title: "Denied by policy",
    status: 403,
    detail: "firma refused DELETE api.code.test/repos/acme/rocket because the operator's policy " +
      "does not permit it; this is a decision of policy and not a fault of the network, so do " +
      "without it, or ask the operator to permit this action.",
    denied: true,
    reason: "PolicyDenied",
    action_class: "code.destructive",
    event_id: verdict.eventId,
  });
  // The operator sees which policy it was; an agent would probe.
  assert.deepEqual(subject.events.last.policy_ids, ["history"]);
  assert.doesNotMatch(JSON.stringify(verdict.problem), /history/);
});

const DENIED: Record<string, [Partial<CallInput>, string, string]> = {
  "what no rule names": [callTo("evil.test"), "UnclassifiedIntent", "raw.http.GET"],
  "what no rule names, by another method": [
    call({ method: "PATCH" }),
    "UnclassifiedIntent",
    "raw.http.PATCH",
  ],
  "what cannot be understood": [call({ target: "/a/../b" }), "MalformedRequest", "raw.http.GET"],
  "a method that is not one": [
    call({ method: "X".repeat(100) }),
    "MalformedRequest",
    "raw.http.OTHER",
  ],
  "this machine": [callTo("127.0.0.1"), "LoopbackBlocked", "raw.http.GET"],
  "what policy does not permit": [call({ method: "DELETE" }), "PolicyDenied", "code.destructive"],
};

for (const [name, [input, reason, actionClass]] of Object.entries(DENIED)) {
  Deno.test(`decide() denies and records ${name}`, () => {
    const subject = rig();
    const verdict = subject.decide(call(input));
    assert.equal(outcome(verdict), reason);
    assert.deepEqual(subject.events.urgent, [verdict.eventId]);
    const { decision, deny_reason, action_class, event_id } = subject.events.last;
    assert.deepEqual({ decision, deny_reason, action_class, event_id }, {
      decision: "DENY",
      deny_reason: reason,
      action_class: actionClass,
      event_id: verdict.eventId,
    });
  });
}

Deno.test("decide() keeps a record short however much the agent sends", () => {
  const subject = rig();
  subject.decide(call({ target: `/repos/${"a".repeat(50_000)}/..`, method: "Y".repeat(50_000) }));
  assert.ok(JSON.stringify(subject.events.last).length < 6_000);
});

Deno.test("decide() denies a session that nobody opened, and an ended one", () => {
  const subject = rig();
  const stranger = call({ peer: { ...PEER, sessionId: "ses_unknown" } });
  assert.equal(outcome(subject.decide(stranger)), "TokenInvalid");
  assert.equal(subject.events.last.session_id, "ses_unknown");
  subject.sessions.end(SESSION_ID);
  assert.equal(outcome(subject.decide(call())), "TokenInvalid");
});

Deno.test("decide() denies while the audit log cannot take a record", () => {
  const subject = rig();
  subject.events.accepting = false;
  assert.equal(outcome(subject.decide(call())), "FailClosed");
  assert.deepEqual(subject.events.all, []);
  assert.equal(subject.events.lost, 1);
  // What is not in the log is not in the state either: both are the same fold.
  assert.equal(subject.sessions.get(SESSION_ID)?.state.actionCount, 0);
  subject.events.accepting = true;
  assert.equal(outcome(subject.decide(call())), "forward");
});

Deno.test("decide() lets nothing out before its record is on the disk, where the log is durable", async () => {
  const subject = rig();
  subject.events.disk = Promise.withResolvers();
  let verdict: Verdict | undefined;
  const deciding = Promise.resolve(subject.gate.decide(call())).then((value) => verdict = value);
  const advising = subject.gate.advise(call());
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(verdict, undefined);
  assert.deepEqual(subject.events.all.map(({ kind }) => kind), ["decision", "decision"]);
  subject.events.disk.resolve(true);
  assert.equal(outcome(await deciding), "forward");
  assert.equal((await advising).allowed, true);
});

Deno.test("decide() takes back what it allowed when the log fails before the record is on the disk", async () => {
  const subject = rig();
  subject.events.disk = Promise.withResolvers();
  const deciding = subject.gate.decide(call());
  const advising = subject.gate.advise(call());
  subject.events.disk.resolve(false);
  assert.equal(outcome(await deciding), "FailClosed");
  const advice = await advising;
  assert.deepEqual([advice.allowed, advice.problem?.reason], [false, "FailClosed"]);
  const [decided, , taken] = subject.events.all;
  assert.ok(decided?.kind === "decision" && taken?.kind === "outcome");
  assert.deepEqual([taken.decision_event_id, taken.status], [decided.event_id, 0]);
  assert.match(taken.detail, /^the audit log cannot take the record/);
  await subject.drained(SESSION_ID);
  // A denial tells nothing that would have to be on the disk first.
  subject.events.disk = Promise.withResolvers();
  subject.sessions.end(SESSION_ID);
  assert.equal(outcome(await subject.gate.decide(call())), "TokenInvalid");
});

Deno.test("decide() denies when the record cannot be handed over", () => {
  const subject = rig();
  subject.events.push = () => {
    throw new Error("port closed");
  };
  assert.equal(outcome(subject.decide(call())), "FailClosed");
});

Deno.test("decide() denies when anything on the way throws", () => {
  const subject = rig();
  const broken = new Proxy(subject.standing.mapping, {
    get: () => {
      throw new Error("bug");
    },
  });
  subject.standing.mapping = broken;
  assert.equal(outcome(subject.decide(call())), "FailClosed");
  assert.match(String(subject.events.last.detail), /bug/);
});

Deno.test("decide() denies without policy, with an old one, and without revocations", () => {
  const cases: [string, (subject: ReturnType<typeof rig>) => void][] = [
    ["PolicyBundleNotReady", ({ standing }) => standing.bundle = undefined],
    ["PolicyBundleStale", ({ standing }) => standing.renew(standing.bundle!.revision, NOW_MS - 1)],
    ["RevocationCacheNotReady", ({ standing }) => standing.revoked = undefined],
    ["TokenRevoked", ({ standing }) => standing.revoked = new Set([TOKEN_ID])],
    ["TokenInvalid", ({ sessions }) => sessions.setClaims(SESSION_ID, [])],
  ];
  for (const [reason, spoil] of cases) {
    const subject = rig();
    assert.equal(outcome(subject.decide(call())), "forward");
    spoil(subject);
    assert.equal(outcome(subject.decide(call())), reason);
  }
});

Deno.test("decide() names the configured address and roots of a host", () => {
  const subject = rig({ connectAddrFor: ["api.code.test"] });
  const verdict = subject.decide(call());
  assert.ok(verdict.kind === "forward");
  assert.deepEqual(verdict.route, {
    host: "api.code.test",
    port: 443,
    tls: true,
    connectAddr: { hostname: "127.0.0.1", port: 8443 },
    caCerts: ["PEM"],
  });
  const other = rig().decide(callTo("registry.test"));
  assert.ok(other.kind === "forward");
  assert.deepEqual(other.route, { host: "registry.test", port: 443, tls: true });
});

Deno.test("decide() drops what the agent says about itself, and the way to unseen requests", () => {
  const headers = [
    ["x-firma-session-id", "ses_other"],
    ["x-firma-anything", "1"],
    ["upgrade", "h2c"],
    ["http2-settings", "AAMAAABk"],
    ["accept", "*/*"],
  ] as const;
  const verdict = rig().decide(call({ headers }));
  assert.ok(verdict.kind === "forward");
  assert.deepEqual(verdict.dropHeaders.toSorted(), [
    "http2-settings",
    "upgrade",
    "x-firma-anything",
    "x-firma-session-id",
  ]);
  const rules = RULES.replace(/code\.read/, "model.inference");
  const policy = "permit (principal, action, resource);";
  const socket = rig({ rules, policy }).decide(call({ headers: [["upgrade", "WebSocket"]] }));
  assert.ok(socket.kind === "forward");
  assert.deepEqual(socket.dropHeaders, []);
});

Deno.test("decide() is a pure function of policy, token, envelope and session state", () => {
  const input = fc.record({
    method: fc.constantFrom("GET", "DELETE", "POST", "get"),
    authority: fc.constantFrom("api.code.test", "registry.test", "evil.test", "127.0.0.1"),
    target: fc.oneof(fc.constantFrom("/repos/a/b", "/", "/repos/../x"), fc.webPath()),
    calls: fc.integer({ min: 0, max: 5 }),
  });
  fc.assert(
    fc.property(input, ({ calls, ...rest }) => {
      const once = () => {
        const subject = rig();
        for (let i = 0; i < calls; i++) subject.decide(call());
        subject.decide(callTo(rest.authority, rest));
        const { event_id: _id, timestamp: _timestamp, latency_us: _latency, ...event } =
          subject.events.last;
        return event;
      };
      assert.deepEqual(once(), once());
    }),
    { numRuns: 50 },
  );
});

Deno.test("decide() moves the session on, as a fold over its records", () => {
  const subject = rig();
  subject.decide(call());
  subject.decide(call({ method: "DELETE" }));
  subject.decide(callTo("registry.test", { target: "/left-pad?x=1" }));
  subject.gate.refuse(PEER, { resource: "garbage", detail: "not HTTP" });
  const state = subject.sessions.get(SESSION_ID)!.state;
  assert.deepEqual(state, {
    actionCount: 4,
    denyCount: 2,
    recentActionClasses: ["code.read", "code.destructive", "system.install", "network.connect"],
    lastResource: "garbage",
  });
  const decisions = subject.events.all.filter((event) =>
    event.kind === "decision"
  ) as DecisionEvent[];
  const folded = decisions.reduce(
    (at, event) => advanceSession(at, sessionStep(event)),
    INITIAL_SESSION_STATE,
  );
  assert.deepEqual(folded, state);
  const verdict = subject.decide(callTo("registry.test"));
  assert.equal(verdict.kind, "forward");
  const { envelope } = subject.events.all.at(-1) as DecisionEvent;
  assert.deepEqual(envelope?.metadata, {
    session_id: SESSION_ID,
    timestamp_ms: NOW_MS,
    session_started_ms: NOW_MS - 60_000,
    action_count: 5,
    deny_count: 2,
    prior_action_classes: ["code.read", "code.destructive", "system.install", "network.connect"],
    last_resource: "garbage",
  });
});

Deno.test("connect() opens TLS of every host that is not on the bypass list", async () => {
  const subject = rig({ bypassHosts: ["pinned.test", "*.pinned.test"] });
  for (const host of ["api.code.test", "evil.test", "127.0.0.1", "notpinned.test"]) {
    assert.deepEqual(await subject.gate.connect(PEER, host, 443), { kind: "terminate" });
  }
  assert.deepEqual(subject.events.all, []);
});

Deno.test("connect() tunnels a bypassed host only after a decision on the CONNECT", async () => {
  const subject = rig({
    bypassHosts: ["pinned.test", "*.pinned.test"],
    policy:
      `@id("out") permit (principal, action in [Firma::Action::"communication.external.send"], resource);`,
  });
  const allowed = await subject.gate.connect(PEER, "Pinned.test.", 443);
  assert.ok(allowed.kind === "tunnel");
  assert.deepEqual(allowed.route, { host: "pinned.test", port: 443, tls: true });
  const event = subject.events.last as unknown as DecisionEvent;
  assert.equal(event.method, "CONNECT");
  assert.equal(event.envelope?.intent.raw_transport, "connect");
  assert.deepEqual(subject.events.urgent, [allowed.eventId]);
  const unmapped = await subject.gate.connect(PEER, "sub.pinned.test", 443);
  assert.ok(unmapped.kind === "deny");
  assert.equal(unmapped.problem.reason, "UnclassifiedIntent");
  assert.equal(unmapped.problem.action_class, "network.connect");
  const otherPort = await subject.gate.connect(PEER, "pinned.test", 22);
  assert.equal(otherPort.kind, "deny");
  const forbidden = rig({ bypassHosts: ["pinned.test"], policy: POLICY });
  assert.equal((await forbidden.gate.connect(PEER, "pinned.test", 443)).kind, "deny");
});

Deno.test("connect() refuses what is no host and no port", async () => {
  const subject = rig();
  for (
    const [host, port] of [["", 443], ["a b", 443], ["0x7f.1", 443], ["a.test", 0], [
      "a.test",
      70000,
    ]] as const
  ) {
    const verdict = await subject.gate.connect(PEER, host, port);
    assert.ok(verdict.kind === "deny", host);
    assert.equal(verdict.problem.reason, "MalformedRequest");
  }
});

Deno.test("outcome() records the end of a call, once", () => {
  const subject = rig();
  const verdict = subject.decide(call());
  subject.gate.outcome(verdict.eventId, OUTCOME);
  const { kind, decision_event_id, status, sandbox_id } = subject.events.last;
  assert.deepEqual({ kind, decision_event_id, status, sandbox_id }, {
    kind: "outcome",
    decision_event_id: verdict.eventId,
    status: 200,
    sandbox_id: SANDBOX_ID,
  });
  const count = subject.events.all.length;
  subject.gate.outcome(verdict.eventId, OUTCOME);
  subject.gate.outcome("aevt_unknown", OUTCOME);
  assert.equal(subject.events.all.length, count);
});

const REVIEWS: Record<string, [(subject: ReturnType<typeof rig>) => void, RegExp]> = {
  "a policy that denies now": [
    ({ standing }) => standing.apply(bundle(`forbid (principal, action, resource);`), NOW_MS + 1),
    /policy now in force denies/,
  ],
  "no policy any more": [({ standing }) => standing.bundle = undefined, /policy/],
  "a revoked token": [({ standing }) => standing.revoked = new Set([TOKEN_ID]), /revoked/],
  "the end of the session": [({ sessions }) => sessions.end(SESSION_ID), /session has ended/],
};

for (const [name, [change, detail]] of Object.entries(REVIEWS)) {
  Deno.test(`review() closes open calls on ${name}`, () => {
    const subject = rig();
    const verdict = subject.decide(call());
    assert.ok(verdict.kind === "forward");
    subject.review();
    assert.equal(verdict.signal.aborted, false);
    change(subject);
    subject.review();
    assert.equal(verdict.signal.aborted, true);
    subject.gate.outcome(verdict.eventId, { ...OUTCOME, abortReason: "CONNECTOR_FAILURE" });
    assert.match(String(subject.events.last.detail), detail);
  });
}

const OVERTAKEN: Record<string, [(subject: ReturnType<typeof rig>) => number, RegExp]> = {
  "policies that nobody renews": [() => 30_001, /has not renewed the policy bundle/],
  "a token that expires": [({ standing }) => {
    standing.bundle = { ...standing.bundle!, freshUntilMs: Infinity };
    return 3_600_000;
  }, /no capability token covers the call any more: TokenExpired/],
  "a new token without the action": [({ sessions }) => {
    sessions.setClaims(SESSION_ID, [claims({ action_set: ["payment.read"] })]);
    return 0;
  }, /ToolNotInScope/],
  "a new token without the resource": [({ sessions }) => {
    sessions.setClaims(SESSION_ID, [claims({ resource_scope: ["api.code.test/repos/other/**"] })]);
    return 0;
  }, /ScopeViolation/],
};

for (const way of ["expire", "review"] as const) {
  for (const [name, [change, detail]] of Object.entries(OVERTAKEN)) {
    Deno.test(`${way}() closes open calls on ${name}`, () => {
      let nowMs = NOW_MS;
      const subject = rig({ now: () => nowMs });
      const verdict = subject.decide(call());
      assert.ok(verdict.kind === "forward");
      nowMs += 29_999;
      subject[way]();
      assert.equal(verdict.signal.aborted, false);
      nowMs = NOW_MS + change(subject);
      subject[way]();
      assert.equal(verdict.signal.aborted, true);
      subject.gate.outcome(verdict.eventId, { ...OUTCOME, abortReason: "CONNECTOR_FAILURE" });
      assert.match(String(subject.events.last.detail), detail);
    });
  }
}

Deno.test("expire() leaves alone what a renewed token covers", () => {
  const subject = rig();
  const verdict = subject.decide(call());
  assert.ok(verdict.kind === "forward");
  const scope = ["api.code.test/repos/acme/**"];
  subject.sessions.setClaims(SESSION_ID, [
    claims({ token_id: newId("ctok"), action_set: ["code.read"], resource_scope: scope }),
  ]);
  subject.expire();
  assert.equal(verdict.signal.aborted, false);
});

Deno.test("decide() bears with clocks that differ as far as it is told", () => {
  const ahead = { issued_at: new Date(NOW_MS + 4_000).toISOString() };
  for (const [clockSkewMs, expected] of [[0, "TokenInvalid"], [5_000, "forward"]] as const) {
    const subject = rig({ clockSkewMs });
    subject.sessions.setClaims(SESSION_ID, [claims(ahead)]);
    assert.equal(outcome(subject.decide(call())), expected);
  }
});

Deno.test("review() leaves alone what is still permitted", () => {
  const subject = rig();
  const verdict = subject.decide(call());
  assert.ok(verdict.kind === "forward");
  subject.standing.apply(bundle(`${POLICY}\n// another version`), NOW_MS + 1);
  subject.review();
  assert.equal(verdict.signal.aborted, false);
});

Deno.test("advise() decides and records as decide() does, and waits for no outcome", async () => {
  const peer = { sessionId: SESSION_ID, provenance: { via: "api" } } as const;
  for (
    const [input, reason] of [[call(), ""], [call({ method: "DELETE" }), "PolicyDenied"]] as const
  ) {
    const [subject, twin] = [rig(), rig()];
    const advice = await subject.gate.advise({ ...input, peer });
    assert.equal(advice.problem?.reason ?? "", reason);
    assert.equal(outcome(twin.decide({ ...input, peer })), reason || "forward");
    assert.deepEqual([advice.allowed, advice.decision], [!reason, reason ? "DENY" : "ALLOW"]);
    assert.deepEqual(subject.events.urgent, [advice.eventId]);
    const comparable = (
      { event_id: _id, timestamp: _at, latency_us: _us, ...event }: Readonly<
        Record<string, unknown>
      >,
    ) => event;
    assert.deepEqual(comparable(subject.events.last), comparable(twin.events.last));
    await subject.drained(SESSION_ID);
    subject.gate.outcome(advice.eventId, OUTCOME);
    assert.equal(subject.events.all.length, 1);
    assert.deepEqual(subject.sessions.get(SESSION_ID)!.state, twin.sessions.get(SESSION_ID)!.state);
  }
});

Deno.test("advise() allows nothing that cannot be recorded", async () => {
  const subject = rig();
  subject.events.accepting = false;
  const advice = await subject.gate.advise(call());
  assert.deepEqual([advice.allowed, advice.problem?.reason], [false, "FailClosed"]);
  assert.equal(subject.events.lost, 1);
});

Deno.test("drained() resolves when the last call of a session has its outcome", async () => {
  const subject = rig();
  await subject.drained(SESSION_ID);
  const [first, second] = [subject.decide(call()), subject.decide(call())];
  let drained = false;
  const waiting = subject.drained(SESSION_ID).then(() => drained = true);
  await subject.drained("ses_other");
  subject.gate.outcome(first.eventId, OUTCOME);
  await Promise.resolve();
  assert.equal(drained, false);
  subject.gate.outcome(second.eventId, OUTCOME);
  await waiting;
});

Deno.test("abortProblem() tells a fault of the connection from a denial", () => {
  const problem = rig().gate.abortProblem("aevt_x", "code.read", "CONNECTOR_TIMEOUT");
  assert.equal(problem.status, 504);
  assert.equal(problem.aborted, true);
  assert.match(problem.detail, /allowed this call/);
  assert.equal(rig().gate.abortProblem("aevt_x", "", "CONNECTOR_FAILURE").status, 502);
});

// Attack: guesses at the proxy, made in the name of a session, must not count against it.
Deno.test("refuse() records what nobody did for no session, with the reason that it is given", () => {
  const subject = rig();
  const peer = { sessionId: "", provenance: { via: "proxy", address: "127.0.0.1:4" } } as const;
  const what = { resource: "", detail: "a guess", reason: "TokenInvalid" } as const;
  const problem = subject.gate.refuse(peer, what);
  assert.equal(problem.reason, "TokenInvalid");
  const { session_id, agent_id, deny_reason, provenance } = subject.events.last;
  assert.deepEqual([session_id, agent_id, deny_reason], ["", "", "TokenInvalid"]);
  assert.deepEqual(provenance, peer.provenance);
  assert.equal(subject.sessions.get(SESSION_ID)!.state.denyCount, 0);
  assert.equal(subject.gate.refuse(PEER, { resource: "", detail: "x" }).reason, "MalformedRequest");
  assert.equal(subject.sessions.get(SESSION_ID)!.state.denyCount, 1);
});

Deno.test("decide() denies a path parameter where a policy looks at the path", () => {
  // Java's servers drop it, and would serve what the policy forbids.
  const { decide } = rig({
    policy: `permit (principal, action, resource);
      forbid (principal, action, resource)
      when { resource has path && resource.path == "/repos/acme/secret" };`,
  });
  const read = (path: string) => outcome(decide(call({ target: path })));
  assert.equal(read("/repos/acme/secret"), "PolicyDenied");
  for (const path of ["/repos/acme/secret;x", "/repos/acme;x=1/secret", "/repos/acme/secret%3Bx"]) {
    assert.notEqual(read(path), "forward", path);
  }
  assert.equal(read("/repos/acme/rocket"), "forward");
  // The control: nothing but the path is hidden by it.
  assert.equal(outcome(rig().decide(call({ target: "/repos/acme/rocket;x" }))), "forward");
});

Deno.test("decide() lets no WebSocket be opened by a call that reads, unless its rule says so", () => {
  // The attack: GET of a container's "exec" or a notebook's "channels", which is a shell.
  const opening = [["connection", "Upgrade"], ["upgrade", "websocket"]] as const;
  const rule = (more: string) => `
    [[rules]]
    host = "api.code.test"
    path = "/**"
    ${more}
  `;
  const open = (more: string, headers: CallInput["headers"] = opening) =>
    outcome(
      rig({ rules: rule(more), policy: "permit (principal, action, resource);" })
        .decide(call({ headers })),
    );
  const reads = 'action_class = "code.read"';
  assert.equal(open(reads), "UnclassifiedIntent");
  assert.equal(open(reads, [["upgrade", "h2c, WebSocket"]]), "UnclassifiedIntent");
  assert.equal(open(reads, []), "forward");
  assert.equal(open(`${reads}\nwebsocket = true`), "forward");
  assert.equal(open('action_class = "model.inference"'), "forward");
});

Deno.test("decide() denies a body that asks to be taken for another method, where that matters", async (t) => {
  const rules = `
    [[rules]]
    host = "api.code.test"
    method = "POST"
    path = "/repos/**"
    action_class = "code.write"

    [[rules]]
    host = "api.code.test"
    method = "DELETE"
    path = "/repos/**"
    action_class = "code.destructive"

    [[rules]]
    host = "api.code.test"
    path = "/notes"
    action_class = "issue.write"
  `;
  const { gate } = rig({ rules, policy: "permit (principal, action, resource);" });
  const send = async (type: string, body: string, target = "/repos/acme/rocket") =>
    outcome(
      await gate.decide(call({
        method: "POST",
        target,
        headers: [["content-type", type]],
        readBody: () => Promise.resolve(new TextEncoder().encode(body)),
      })),
    );
  const form = "application/x-www-form-urlencoded";
  const multipart = "multipart/form-data; boundary=x";
  const part = (name: string) =>
    `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\ndelete\r\n--x--\r\n`;
  const attacks: readonly (readonly [string, string])[] = [
    [form, "_method=delete"],
    [form, "a=b&%5fmethod=DELETE"],
    [form, "a=b&_METHOD=delete"],
    [`${form}; charset=utf-8`, "_method"],
    [multipart, part("_method")],
    ["application/json", '{"a": 1, "_method": "DELETE"}'],
    ["application/vnd.api+json", '{"\\u005fmethod" : "DELETE"}'],
  ];
  for (const [type, body] of attacks) {
    await t.step(`${type}: ${body.slice(0, 30)}`, async () => {
      assert.equal(await send(type, body), "MalformedRequest");
      assert.equal(await send(type, body, "/notes"), "forward");
    });
  }
  await t.step("other fields go on", async () => {
    assert.equal(await send(form, "method=delete&x=_method"), "forward");
    assert.equal(await send(multipart, part("method")), "forward");
    assert.equal(await send("application/json", '{"a": "_method"}'), "forward");
    assert.equal(await send("application/json", '{"a": "{\\"_method\\": 1}"}'), "forward");
    assert.equal(await send("application/grpc+json", '{"_method": 1}'), "forward");
  });
});
