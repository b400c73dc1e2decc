import assert from "node:assert/strict";
import { ConnGateConnection } from "../../../src/sidecar/exec/gate_connection.ts";

/** Both ends of a connection over a unix socket. */
async function withEnds(test: (ours: Deno.Conn, theirs: Deno.Conn) => Promise<void>) {
  const directory = await Deno.makeTempDir({ prefix: "firma-gate-" });
  const path = `${directory}/socket`;
  const listener = Deno.listen({ transport: "unix", path });
  const [ours, theirs] = await Promise.all([
    listener.accept(),
    Deno.connect({ transport: "unix", path }),
  ]);
  try {
    await test(ours, theirs);
  } finally {
    for (const end of [ours, theirs, listener]) {
      try {
        end.close();
      } catch { /* it was closed by the test */ }
    }
    await Deno.remove(directory, { recursive: true });
  }
}

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test("ConnGateConnection begins with what was read before, and goes on with what comes", () =>
  withEnds(async (ours, theirs) => {
    const gate = new ConnGateConnection(ours, bytes("before "));
    assert.equal(text(gate.buffered), "before ");
    await theirs.write(bytes("after"));
    assert(await gate.fill());
    assert.equal(text(gate.buffered), "before after");
    gate.consume(7);
    assert.equal(text(gate.buffered), "after");
    gate.consume(5);
    assert.equal(gate.buffered.length, 0);
    theirs.close();
    assert.equal(await gate.fill(), false);
  }));

Deno.test("ConnGateConnection writes all, in order, also to who reads late", () =>
  withEnds(async (ours, theirs) => {
    const gate = new ConnGateConnection(ours, new Uint8Array());
    // More than a socket takes at once.
    const lines = Array.from({ length: 500 }, (_, i) => `${i} ${"x".repeat(2_000)}\n`);
    for (const line of lines) gate.socket.write(line);
    const expected = lines.join("");
    let heard = "";
    const space = new Uint8Array(65_536);
    while (heard.length < expected.length) {
      const count = await theirs.read(space);
      assert(count !== null);
      heard += text(space.subarray(0, count));
    }
    assert.equal(heard, expected);
  }));

Deno.test("ConnGateConnection rejects in a wait that destroy() ends, and takes what is said to nobody", () =>
  withEnds(async (ours, theirs) => {
    const gate = new ConnGateConnection(ours, new Uint8Array());
    const waiting = gate.fill();
    gate.socket.destroy();
    await assert.rejects(waiting);
    theirs.close();
    gate.socket.write("to nobody\n");
    gate.socket.destroy();
  }));
