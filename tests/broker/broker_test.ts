import assert from "node:assert/strict";
import { Broker } from "../../src/broker/broker.ts";
import type { CredentialNeed, CredentialProvider, HandOut } from "../../src/broker/hand_out.ts";
import type { CredentialConfig } from "../../src/config/keys/credentials/credential.ts";
import type { CredentialSource } from "../../src/config/keys/credentials/kinds.ts";
import { err, type FirmaError, ok, type Result, unwrap } from "../../src/core/result.ts";
import { credential, needOf } from "./_credential.ts";

/** A provider whose answers a test gives one by one. */
class Scripted implements CredentialProvider {
  readonly kind = "scripted";
  readonly asked: { need: CredentialNeed; signal: AbortSignal; answer: (given: Given) => void }[] =
    [];

  scope(need: CredentialNeed): string {
    return need.resource;
  }

  obtain(need: CredentialNeed, signal: AbortSignal): Promise<Result<HandOut, FirmaError>> {
    return new Promise((resolve) => this.asked.push({ need, signal, answer: resolve }));
  }
}

type Given = Result<HandOut, FirmaError>;

function scripted(special: Partial<CredentialConfig> = {}) {
  const provider = new Scripted();
  const clock = { nowMs: 1_000_000 };
  const broker = new Broker({
    credentials: [credential("a", undefined, special)],
    variable: () => undefined,
    now: () => clock.nowMs,
    provider: () => provider,
  });
  return { provider, clock, broker };
}

const given = (secret: string, expiresAtMs?: number): Given =>
  ok({
    label: "a",
    headers: [["authorization", `Bearer ${secret}`]],
    secrets: [secret],
    ...(expiresAtMs !== undefined && { expiresAtMs }),
  });
const unavailable: Given = err({ code: "CREDENTIAL_UNOBTAINABLE", message: "Cannot: no" });

Deno.test("handOut() asks a provider once for a thousand calls at the same time", async () => {
  const { provider, broker, clock } = scripted();
  const first = broker.handOut(needOf("a"));
  provider.asked[0]!.answer(given("first", clock.nowMs + 60_000));
  unwrap(await first);

  clock.nowMs += 60_000; // expired
  const calls = Array.from({ length: 1_000 }, () => broker.handOut(needOf("a")));
  assert.equal(provider.asked.length, 2);
  provider.asked[1]!.answer(given("second"));
  for (const call of calls) assert.deepEqual(unwrap(await call).secrets, ["second"]);
  assert.equal(provider.asked.length, 2);
});

Deno.test("handOut() keeps what it got until shortly before its end, apart for each scope", async () => {
  const { provider, broker, clock } = scripted();
  const ask = async (resource: string) => {
    const asked = provider.asked.length;
    const outcome = broker.handOut(needOf("a", { resource }));
    if (provider.asked.length > asked) {
      provider.asked[asked]!.answer(given(`for-${resource}`, clock.nowMs + 3_600_000));
    }
    const { scope, secrets } = unwrap(await outcome);
    assert.deepEqual([scope, secrets], [resource, [`for-${resource}`]]);
    return provider.asked.length;
  };
  assert.equal(await ask("acme/api"), 1);
  assert.equal(await ask("acme/web"), 2);
  assert.equal(await ask("acme/api"), 2);
  clock.nowMs += 3_600_000 - 30_001;
  assert.equal(await ask("acme/api"), 2);
  clock.nowMs += 1;
  assert.equal(await ask("acme/api"), 3, "30 seconds before its end it is not used any more");
});

Deno.test("handOut() asks again after `refresh` where a secret has no end", async () => {
  const { provider, broker, clock } = scripted({ refreshMs: 5_000 });
  const first = broker.handOut(needOf("a"));
  provider.asked[0]!.answer(given("one"));
  assert.equal(unwrap(await first).usableUntilMs, clock.nowMs + 5_000);
  clock.nowMs += 4_999;
  unwrap(await broker.handOut(needOf("a")));
  assert.equal(provider.asked.length, 1);
  clock.nowMs += 1;
  void broker.handOut(needOf("a"));
  assert.equal(provider.asked.length, 2);
});

Deno.test("handOut() does not hammer a source that fails", async () => {
  const { provider, broker, clock } = scripted();
  const first = broker.handOut(needOf("a"));
  provider.asked[0]!.answer(unavailable);
  assert.equal((await first).ok, false);
  assert.equal((await broker.handOut(needOf("a"))).ok, false);
  assert.equal(provider.asked.length, 1);
  clock.nowMs += 1_000;
  const again = broker.handOut(needOf("a"));
  assert.equal(provider.asked.length, 2);
  provider.asked[1]!.answer(unavailable);
  await again;
  clock.nowMs += 1_000;
  assert.equal((await broker.handOut(needOf("a"))).ok, false);
  assert.equal(provider.asked.length, 2, "the pause grows");
});

Deno.test("handOut() gives up on a source that does not answer, and tells it so", async () => {
  const { provider, broker } = scripted({ timeoutMs: 1 });
  const outcome = await broker.handOut(needOf("a"));
  assert.ok(!outcome.ok);
  assert.match(outcome.error.message, /it took more than 0.001 s/);
  assert.equal(provider.asked[0]!.signal.aborted, true);
});

Deno.test("handOut() never gives what has expired, nor says what a provider threw", async () => {
  const { provider, broker, clock } = scripted();
  const first = broker.handOut(needOf("a"));
  provider.asked[0]!.answer(given("old", clock.nowMs));
  const old = await first;
  assert.ok(!old.ok && /has expired/.test(old.error.message));

  const throwing = new Broker({
    credentials: [credential("a")],
    variable: () => undefined,
    provider: () => ({
      kind: "throwing",
      scope: () => "",
      obtain: () => Promise.reject(new Error("SECRET-IN-A-MESSAGE")),
    }),
  });
  const thrown = await throwing.handOut(needOf("a"));
  assert.ok(!thrown.ok && !JSON.stringify(thrown).includes("SECRET"));
});

Deno.test("handOut() refuses a host that the credential is not for, whoever asks", async () => {
  const { provider, broker } = scripted();
  for (const wrong of [{ host: "evil.test" }, { port: 8443 }, { host: "api.a.test.evil.test" }]) {
    const outcome = await broker.handOut(needOf("a", wrong));
    assert.ok(!outcome.ok && /it is not for/.test(outcome.error.message));
  }
  assert.equal(provider.asked.length, 0);
  const nobody = await broker.handOut(needOf("b"));
  assert.ok(!nobody.ok);
});

Deno.test("refused() has a hand-out obtained anew, once within a minute", async () => {
  const { provider, broker, clock } = scripted();
  const obtain = async (secret: string) => {
    const outcome = broker.handOut(needOf("a"));
    provider.asked.at(-1)!.answer(given(secret));
    return unwrap(await outcome).secrets[0];
  };
  assert.equal(await obtain("one"), "one");
  broker.refused("a", "");
  assert.equal(await obtain("two"), "two");
  // An agent that can make a server say 401 must not make a storm of it.
  broker.refused("a", "");
  assert.equal(await obtain("three"), "two");
  clock.nowMs += 60_000;
  broker.refused("a", "");
  assert.equal(await obtain("three"), "three");
});

Deno.test("handOut() and capture() serve the credential that was meant, not another of its name", async () => {
  const { provider, broker } = scripted();
  const before = needOf("a");
  credential("a", undefined, { paths: ["/v2"] });
  const meant = needOf("a");
  assert.notEqual(before.edition, meant.edition);
  const refused = await broker.handOut(meant);
  assert.ok(!refused.ok && /was changed or removed/.test(refused.error.message));
  const captured = { label: "a", sessionId: "ses_1", renews: false, tokens: {} };
  const taken = await broker.capture({ ...captured, edition: meant.edition });
  assert.ok(!taken.ok && /was changed or removed/.test(taken.error.message));
  assert.equal(provider.asked.length, 0);
  const outcome = broker.handOut(before);
  provider.asked[0]!.answer(given("one"));
  unwrap(await outcome);
});

Deno.test("adopt() goes on with what sessions had of their own, of credentials that are the same", async () => {
  const settings = {
    sign_in_at: "claude",
    sign_in_file: undefined,
    keep_new: false,
  } as unknown as Extract<CredentialSource, { kind: "sign_in" }>["settings"];
  const make = (special: Partial<CredentialConfig> = {}) =>
    new Broker({
      credentials: [credential("claude", { kind: "sign_in", settings }, special)],
      variable: () => undefined,
    });
  const first = make();
  const need = needOf("claude");
  const { edition } = need;
  unwrap(
    await first.capture({
      ...{ label: "claude", edition, sessionId: "ses_1", renews: false },
      tokens: { access: "access-of-the-session" },
    }),
  );
  const second = make();
  assert.equal(unwrap(await second.handOut(need)).secrets[0], "", "the control");
  const third = make();
  third.adopt(first.ownSignIns());
  assert.equal(unwrap(await third.handOut(need)).secrets[0], "access-of-the-session");
  const elsewhere = unwrap(await third.handOut({ ...need, sessionId: "ses_2" }));
  assert.equal(elsewhere.secrets[0], "", "no other session has it");

  const changed = make({ paths: ["/v2"] });
  changed.adopt(first.ownSignIns());
  assert.equal(unwrap(await changed.handOut(needOf("claude"))).secrets[0], "");
});
