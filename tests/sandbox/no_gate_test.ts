import assert from "node:assert/strict";
import { noGate, ownTracer } from "../../src/sandbox/no_gate.ts";

Deno.test("noGate() names the tracer of firma, without which there would be a gate", () => {
  const traced = noGate("ptrace is refused", '"strace"');
  assert.equal(traced.code, "EXEC_GATE_UNAVAILABLE");
  assert.match(traced.message, /: ptrace is refused, for firma is traced by "strace"$/);
  assert.match(traced.cure!, /^run it without that/);
  assert.ok(!traced.cure!.includes("gate ="));
  const untraced = noGate("ptrace is refused", undefined);
  assert.match(untraced.message, /: ptrace is refused$/);
  assert.match(untraced.cure!, /gate = "auto"/);
});

Deno.test("ownTracer() is what the kernel says", () => {
  const files = (tracer: string, more: Record<string, string> = {}) => (path: string) => {
    const known: Record<string, string> = {
      "/proc/self/status": `Name:\tfirma\nTracerPid:\t${tracer}\nUid:\t0\n`,
      ...more,
    };
    if (known[path] === undefined) throw new Deno.errors.NotFound();
    return known[path];
  };
  assert.equal(ownTracer(files("0")), undefined);
  assert.equal(ownTracer(files("42", { "/proc/42/comm": "stra\u001bce\n" })), '"stra\\u001bce"');
  // It may have ended, or be hidden.
  assert.equal(ownTracer(files("42")), "process 42");
  assert.equal(
    ownTracer(() => {
      throw new Deno.errors.NotFound();
    }),
    undefined,
  );
  assert.equal(ownTracer(), undefined);
});
