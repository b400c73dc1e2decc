/** Calls to hosts that no rule names, where the operator lets them pass. */
import assert from "node:assert/strict";
import { NOW_MS, outcome, PEER, rig, RULES, SESSION_ID, TOKEN_ID } from "./support.ts";
import { call, callTo } from "./support.ts";

const WILD = `${RULES}
[[rules]]
host = "*.wild.test"
path = "/x"
action_class = "code.read"

[[rules]]
host = "bücher.test:8443"
action_class = "code.read"
`;

function open() {
  return rig({ defaultProtected: false, rules: WILD, bypassHosts: ["pinned.test", "blind.test"] });
}

Deno.test("decide() lets a call to an unmapped host pass, records it, and names the token", () => {
  const subject = open();
  const verdict = subject.decide(callTo("other.test"));
  assert.ok(verdict.kind === "forward");
  const { decision, token_id, deny_reason, action_class } = subject.events.last;
  assert.deepEqual([decision, token_id, deny_reason], ["PASSTHROUGH", TOKEN_ID, ""]);
  assert.equal(action_class, "raw.http.GET");
  assert.equal(outcome(rig().decide(callTo("other.test"))), "UnclassifiedIntent");
});

// Attack: a host that policies protect, spelt so that no rule names it.
const SPELLINGS: Record<string, string> = {
  "plain": "api.code.test",
  "with a final dot": "api.code.test.",
  "in capitals": "API.Code.TEST",
  "on another port": "api.code.test:8443",
  "on the port of the other scheme": "api.code.test:80",
  "in full-width letters": "api\uff0ecode\uff0etest",
  "below a pattern": "deep.below.wild.test",
  "below a pattern, on another port": "a.wild.test:444",
  "an A-label, on the default port": "xn--bcher-kva.test",
  "a U-label with a final dot": "b\u00fccher.test.",
  "an address": "93.184.215.14",
  "an IPv6 address": "[2001:db8::1]",
  "an address in hexadecimal": "0x5db8d70e",
  "an address with leading zeros": "093.184.215.014",
};

for (const [name, host] of Object.entries(SPELLINGS)) {
  Deno.test(`decide() does not let a mapped host pass: ${name}`, () => {
    const bare = host.replace(/:\d+$/, "");
    const port = Number(/:(\d+)$/.exec(host)?.[1] ?? 443);
    const input = call({
      authority: host,
      target: "/not/mapped",
      tunnel: { connectHost: bare, connectPort: port },
    });
    const subject = open();
    assert.match(outcome(subject.decide(input)), /^(UnclassifiedIntent|MalformedRequest)$/);
    assert.equal(subject.events.last.decision, "DENY");
    const plain = { ...input, scheme: "http", tunnel: undefined } as const;
    assert.match(outcome(subject.decide(plain)), /^(UnclassifiedIntent|MalformedRequest)$/);
  });
}

Deno.test("decide() guards addresses where hosts may pass as well", () => {
  for (const host of ["10.0.0.1", "127.0.0.1", "169.254.169.254", "localhost", "[::1]"]) {
    assert.equal(outcome(open().decide(callTo(host))), "LoopbackBlocked", host);
  }
});

Deno.test("connect() lets the tunnel of an unmapped host pass and no other", async () => {
  const subject = open();
  assert.equal((await subject.gate.connect(PEER, "blind.test", 443)).kind, "tunnel");
  assert.equal(subject.events.last.decision, "PASSTHROUGH");
  const mapped = rig({ defaultProtected: false, bypassHosts: ["registry.test"] });
  assert.equal((await mapped.gate.connect(PEER, "registry.test", 443)).kind, "deny");
});

Deno.test("a session that may not go on has no call that passes, and those under way end", () => {
  const subject = open();
  const verdict = subject.decide(callTo("other.test"));
  assert.ok(verdict.kind === "forward");
  subject.standing.revoked = new Set([TOKEN_ID]);
  subject.review();
  assert.ok(verdict.signal.aborted);
  assert.equal(outcome(subject.decide(callTo("other.test"))), "TokenRevoked");
  subject.standing.revoked = new Set();
  subject.sessions.setClaims(SESSION_ID, []);
  assert.equal(outcome(subject.decide(callTo("other.test"))), "TokenInvalid");
  assert.equal(
    outcome(
      rig({ defaultProtected: false, now: () => NOW_MS + 3_600_000 }).decide(
        callTo("other.test"),
      ),
    ),
    "PolicyBundleStale",
  );
});
