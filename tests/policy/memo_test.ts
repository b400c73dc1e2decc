import assert from "node:assert/strict";
import { Memo } from "../../src/policy/memo.ts";
import { engine, envelope } from "./support.ts";

Deno.test("Memo forgets the entry that was unused for longest", () => {
  const memo = new Memo<number>(2);
  memo.set("a", 1);
  memo.set("b", 2);
  assert.equal(memo.get("a"), 1);
  memo.set("c", 3);
  assert.equal(memo.size, 2);
  assert.equal(memo.get("b"), undefined);
  assert.equal(memo.get("a"), 1);
  assert.equal(memo.get("c"), 3);
});

Deno.test("Memo replaces an entry without forgetting another", () => {
  const memo = new Memo<number>(2);
  memo.set("a", 1);
  memo.set("b", 2);
  memo.set("b", 3);
  assert.equal(memo.get("a"), 1);
  assert.equal(memo.get("b"), 3);
});

const POLICIES = `
  @id("all") permit (principal, action, resource);
  @id("path") forbid (principal, action, resource)
    when { resource has path && resource.path like "/secret*" };`;

Deno.test("decide() remembers by what the policies read, and by nothing else", () => {
  const subject = engine(POLICIES);
  const first = subject.decide(envelope("code.read", { path: "/open" }));
  // Equal inputs give the very same object; a fresh decision would be another.
  const other = envelope("code.read", { path: "/open", host: "b.test", agent: "agt_other" });
  assert.equal(subject.decide(other), first);
  assert.notEqual(subject.decide(envelope("code.read", { path: "/open2" })), first);
  assert.equal(subject.decide(envelope("code.read", { path: "/secret" })).decision, "deny");
  assert.notEqual(subject.decide(envelope("code.write", { path: "/open" })), first);
});

Deno.test("decide() does not remember what reads the whole context, or the time", () => {
  for (const condition of ["context == context", "context.timestamp_ms > 5"]) {
    const subject = engine(`permit (principal, action, resource) when { ${condition} };`);
    const call = envelope("code.read");
    assert.notEqual(subject.decide(call), subject.decide(call), condition);
  }
});

Deno.test("decide() does not remember by keys that an agent made long", () => {
  const subject = engine(POLICIES);
  const call = envelope("code.read", { path: `/${"x".repeat(5000)}` });
  assert.notEqual(subject.decide(call), subject.decide(call));
  assert.equal(subject.decide(call).decision, "allow");
});

Deno.test("decide() does not remember a failure to decide", () => {
  const subject = engine(
    `permit (principal, action, resource);
     forbid (principal, action, resource) when { context.transfer_amount > 5 };`,
  );
  assert.equal(subject.decide(envelope("payment.transfer")).reason, "FailClosed");
  const measured = envelope("payment.transfer", { attributes: { transfer_amount: 1 } });
  assert.equal(subject.decide(measured).decision, "allow");
});
