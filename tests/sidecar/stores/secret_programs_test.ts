import assert from "node:assert/strict";
import { err } from "../../../src/core/result.ts";
import { eventually } from "../../fixtures/deadline.ts";
import type { ApprovalAnswer, ApprovalQuestion } from "../../../src/approvals/answer.ts";
import type { ApprovalSubject } from "../../../src/approvals/subject.ts";
import type { ActionClass } from "../../../src/core/action_class.ts";
import { decideExecution } from "../../../src/sidecar/exec/decide.ts";
import { toClassified } from "../../../src/sidecar/exec/envelope.ts";
import { NOW_MS, session, SESSION_ID, TOKEN_ID } from "../pipeline/support.ts";
import { PASS, Store } from "./support.ts";

const SECRET = 'canary/Q+z="vX\\4711-aBcDeFgHiJkLmNoP';
const POSTURE = `permit (principal, action, resource);
forbid (principal, action in [Firma::Action::"secret.read"], resource)
when { context.raw_transport == "exec" }
unless { context has exec_secret_store };`;

Deno.test("a stub shows placeholders of what the program reads, and the log says what that was", async () => {
  const store = new Store(POSTURE);
  store.prints(`${SECRET}\n`);
  const shown = await store.show("show", "agents/api");
  assert.match(shown.stdout, /^fsp_\w+\n$/);
  assert.deepEqual([shown.stderr, shown.status], ["", 0]);
  assert.deepEqual(store.ran, [
    { provider: "team", sessionId: SESSION_ID, args: ["show", "agents/api"] },
  ]);
  const [value] = store.learnt;
  assert.deepEqual([value?.store, value?.secret, value?.isUsable], ["team", SECRET, true]);
  assert.equal(store.secrets.secretOf(shown.stdout.trim()), SECRET);
  const [event] = store.events;
  assert.equal(event?.decision, "ALLOW");
  assert.equal(event?.action_class, "secret.read");
  const { attributes } = event!.envelope!.intent;
  assert.equal(attributes.exec_secret, "agents/api");
  assert.equal(attributes.exec_secret_store, "team");
  assert.equal(event!.execution.cwd, "/home/ada");
  assert.ok(!JSON.stringify(store.events).includes("canary"));
  // The same value has the same placeholder.
  assert.equal((await store.show("agents/api")).stdout, shown.stdout);
});

Deno.test("a stub shows nothing of what is denied, blocked or said in a way that nobody can read", async () => {
  const read = new Store('forbid (principal, action in [Firma::Action::"secret.read"], resource);');
  read.prints(`${SECRET}\n`);
  const denied = await read.show("show", "agents/api");
  assert.equal(denied.status, 126);
  assert.match(denied.stderr, /^firma: pass: not run: a policy decision, not a fault\n$/);
  assert.equal(read.events[0]?.deny_reason, "PolicyDenied");

  const store = new Store();
  store.prints(`${SECRET}\n`);
  for (const args of [["git", "log"], ["show", "-c", "a"], ["insert", "a"], ["a", "b"]]) {
    const shown = await store.show(...args);
    assert.deepEqual([shown.stdout, shown.status], ["", 126], args.join(" "));
    assert.match(shown.stderr, /not run: a policy decision, not a fault \(.+\)\n$/);
    assert.equal(store.events.at(-1)?.deny_reason, "SecretStoreBlocked");
  }
  const whole = "/\0pass\0show\0agents/api\0";
  const odd: readonly (readonly [string | Uint8Array, string?])[] = [
    [""],
    ["/\0"],
    [whole.slice(0, -1)],
    [new Uint8Array([47, 0, 112, 0, 0xff, 0])],
    [`/\0pass\0show\0${"x".repeat(200_000)}\0`],
    [whole, "other"],
  ];
  for (const [said, which] of odd) {
    const shown = await store.say(said, which);
    assert.deepEqual([shown.stdout, shown.status], ["", 126]);
  }
  assert.deepEqual([...read.ran, ...store.ran], []);
  // What is written right is read.
  assert.equal((await store.say(whole)).status, 0);
});

Deno.test("a stub shows nothing of a program that fails, or prints what it should not", async () => {
  const store = new Store();
  store.prints(`${SECRET}\n`, { code: 3, stderr: `cannot decrypt ${SECRET}\n` });
  const failed = await store.show("show", "agents/api");
  assert.deepEqual([failed.stdout, failed.status], ["", 3]);
  assert.match(failed.stderr, /ended with status 3; what it says is not shown/);
  // A warning beside a value is not shown either.
  store.prints(`${SECRET}\n`, { stderr: `warning about ${SECRET}\n` });
  const warned = await store.show("show", "agents/api");
  assert.equal(warned.stderr, "");
  assert.ok(!JSON.stringify([failed, warned]).includes("canary"));

  store.prints("");
  assert.equal((await store.show("show", "agents/api")).status, 126);
  store.print = () =>
    Promise.resolve(err({ code: "SECRET_STORE_PROGRAM", message: "it took more than 1 s" }));
  const late = await store.show("show", "agents/api");
  assert.equal(late.status, 126);
  assert.match(late.stderr, /it took more than 1 s/);
  const reasons = store.events.map(({ decision, deny_reason }) => `${decision} ${deny_reason}`);
  assert.deepEqual(reasons.slice(-4), ["ALLOW ", "DENY FailClosed", "ALLOW ", "DENY FailClosed"]);
});

Deno.test("a stub shows what is no secret as it is, but for what the session knows of others", async () => {
  const store = new Store();
  store.secrets.learn(SECRET, "fsp_known");
  store.prints(`Password Store\n  agents\n  ${SECRET}\n`, { stderr: `${SECRET}!`, code: 1 });
  assert.deepEqual(await store.show("ls"), {
    stdout: "Password Store\n  agents\n  fsp_known\n",
    stderr: "fsp_known!",
    status: 1,
  });
  assert.equal(store.events[0]?.action_class, "credential.list");
});

Deno.test("a stub shows no value that stands where none should", async () => {
  const program = { ...PASS, preset: "bws" as const };
  const store = new Store(undefined, { providers: [program] });
  const id = "1c2d3e4f-0000-4000-8000-0123456789ab";
  const value = "canary-4711-aBcDeFgHiJkLmNoP";
  store.prints(JSON.stringify({ id, key: `key of ${value}`, value, note: "", [value]: true }));
  const { stdout } = await store.show("secret", "get", id);
  assert.ok(!stdout.includes("canary"), stdout);
  const shown = JSON.parse(stdout) as Record<string, string>;
  assert.equal(shown["key"], `key of ${shown["value"]}`);
  assert.equal(shown["id"], id);
});

Deno.test("an execution of a store's program that is denied says what would let agents use it", () => {
  const store = new Store(POSTURE);
  const surroundings = {
    standing: store.standing,
    config: { commands: [], defaultAction: "allow" } as const,
    now: () => NOW_MS,
  };
  const detailOf = (program: string) => {
    const argv = [program, "show", "agents/api"];
    const file = `/usr/bin/${program}`;
    const execution = { pid: 7, path: file, file, names: [program], argv, argc: 3, cwd: "/" };
    const found = toClassified(execution, [], []);
    const [operation] = found.operations;
    const reading = { ...operation, action_class: "secret.read" as ActionClass };
    const classified = { ref: "a rule", operations: [reading] as const };
    return decideExecution(surroundings, session(), execution, classified).denial?.detail;
  };
  assert.match(detailOf("pass")!, /^forbidden by policy; \[\[sidecar\.cli_secret_providers\]\] /);
  assert.equal(detailOf("gpg"), "forbidden by policy");
});

Deno.test("a stub is seen as what is run, whatever it says that it was called", async () => {
  const policy = `@id("may") permit (principal, action, resource);
@id("no-bank") forbid (principal, action, resource)
when { context has exec_command && context.exec_command like "pass show private/*" };`;
  const store = new Store(policy);
  store.prints(`${SECRET}\n`);
  const said = (name: string, entry: string) => store.say(`/\0${name}\0show\0${entry}\0`);
  assert.equal((await said("ls", "private/bank")).status, 126);
  assert.deepEqual(store.events[0]?.execution.argv, ["pass", "show", "private/bank"]);
  assert.equal((await said("ls", "agents/api")).status, 0);
});

Deno.test("a stub waits for a person where policies want one, and is told what that says", async () => {
  const policy = `@id("may") permit (principal, action, resource);
@id("ask") @step_up("Read it?") forbid (principal, action == Firma::Action::"secret.read", resource);`;
  const asked: ApprovalSubject[] = [];
  let answer: ApprovalAnswer = { kind: "passed", id: "apr_1" };
  const desk = {
    ask: ({ subject }: ApprovalQuestion) => {
      asked.push(subject);
      return Promise.resolve(answer);
    },
  };
  const config = { mode: "async_token", maxWaitMs: 0, retryAfterMs: 1, redactNames: [] } as const;
  const store = new Store(policy, { approvals: { desk, config } });
  store.prints(`${SECRET}\n`);
  assert.match((await store.show("show", "agents/api")).stdout, /^fsp_/);
  assert.equal(store.events[0]?.approval_id, "apr_1");
  assert.deepEqual([asked[0]?.kind, asked[0]?.summary], ["exec", "pass show agents/api"]);
  // What is blocked is nobody's to approve.
  assert.equal((await store.show("show", "-c", "agents/api")).status, 126);
  assert.equal(asked.length, 1);

  answer = { kind: "denied", id: "apr_2", reason: "not today" };
  assert.equal((await store.show("show", "agents/api")).status, 126);
  assert.notEqual(asked[1]?.fingerprint, undefined);
  answer = { kind: "pending", id: "apr_3", untilMs: NOW_MS };
  assert.equal((await store.show("show", "agents/other")).status, 126);
  assert.notEqual(asked[2]?.fingerprint, asked[1]?.fingerprint);
  assert.equal(store.ran.length, 1);
});

Deno.test("a stub shows nothing before the value is kept and the record is on the disk", async () => {
  const kept = Promise.withResolvers<void>();
  const store = new Store(undefined, { learnt: () => kept.promise });
  store.prints(`${SECRET}\n`);
  store.sink.disk = Promise.withResolvers();
  let isShown = false;
  const showing = store.show("show", "agents/api").finally(() => isShown = true);
  await eventually("the record", () => store.events.length > 0 || undefined);
  assert.deepEqual(store.ran, []);
  store.sink.disk.resolve(true);
  await eventually("the program to run", () => store.ran.length > 0 || undefined);
  await eventually("the value to be learnt", () => store.secrets.placeholderOf(SECRET));
  assert.equal(isShown, false);
  kept.resolve();
  assert.equal((await showing).status, 0);

  const failing = new Store();
  failing.sink.disk = Promise.withResolvers();
  failing.sink.disk.resolve(false);
  assert.equal((await failing.show("show", "agents/api")).status, 126);
  assert.deepEqual(failing.ran, []);
});

Deno.test("a stub shows nothing once its session has ended", async () => {
  const store = new Store();
  store.prints(`${SECRET}\n`);
  store.sessions.end(SESSION_ID);
  assert.equal((await store.show("show", "agents/api")).status, 126);
  store.sessions.forget(SESSION_ID);
  assert.equal((await store.show("show", "agents/api")).status, 126);
  assert.deepEqual(store.ran, []);
});

Deno.test("a stub shows nothing of a program during which its session or its token ended", async () => {
  const ends: Readonly<Record<string, (store: Store) => void>> = {
    TokenRevoked: ({ standing }) => standing.revoked = new Set([TOKEN_ID]),
    TokenInvalid: ({ sessions }) => sessions.end(SESSION_ID),
    PolicyBundleNotReady: ({ standing }) => standing.bundle = undefined,
  };
  for (const [reason, end] of Object.entries(ends)) {
    for (const command of [["show", "agents/api"], ["ls"]]) {
      const store = new Store();
      store.prints(`${SECRET}\n`);
      const print = store.print;
      assert.equal((await store.show(...command)).status, 0);
      store.learnt.length = 0;
      store.print = (asked) => {
        end(store);
        return print(asked);
      };
      const shown = await store.show(...command);
      assert.deepEqual([shown.stdout, shown.status], ["", 126], reason);
      assert.deepEqual(store.learnt, []);
      assert.equal(store.events.at(-1)?.deny_reason, reason);
    }
  }
});

Deno.test("stubs of one session are answered at once, up to sixteen", async () => {
  const store = new Store();
  const release = Promise.withResolvers<void>();
  store.print = async ({ args }) => {
    await release.promise;
    return { ok: true, value: { code: 0, stdout: `canary-number-${args[1]}-4711\n`, stderr: "" } };
  };
  const showing = Array.from({ length: 16 }, (_, at) => store.show("show", `agents/${at}`));
  await eventually("all to run", () => store.ran.length === 16 || undefined);
  const shown = await store.show("show", "agents/more");
  assert.match(shown.stderr, /too many commands/);
  release.resolve();
  const all = await Promise.all(showing);
  assert.equal(new Set(all.map(({ stdout }) => stdout)).size, 16);
  for (const { stdout } of all) assert.match(stdout, /^fsp_\w+\n$/);
  assert.equal((await store.show("show", "agents/more")).status, 0);
});
