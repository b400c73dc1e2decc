import assert from "node:assert/strict";
import type { Execution } from "../../../../src/core/local_exec.ts";
import { tellingVariables } from "../../../../src/sandbox/init/gate/describe.ts";
import { readMessages } from "../../../../src/sidecar/exec/read_messages.ts";
import { Gated } from "../../support/gated.ts";

/** An environment in the memory of this process, as execve(2) takes it. */
function environment(
  texts: readonly string[],
): { readonly address: bigint; readonly kept: unknown } {
  const strings = texts.map((text) => new TextEncoder().encode(`${text}\0`));
  const addressOf = (bytes: BufferSource) =>
    Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes as Uint8Array<ArrayBuffer>));
  const list = BigUint64Array.from([...strings.map(addressOf), 0n]);
  return { address: addressOf(list), kept: [strings, list] };
}

Deno.test("tellingVariables() finds what changes a program, and hides none behind another", () => {
  const usual = environment(["PATH=/bin", "KUBECONFIG=/home/ada/dev", "HOME=/home/ada"]);
  assert.deepEqual(tellingVariables(Deno.pid, usual.address), { KUBECONFIG: "/home/ada/dev" });
  // The attack: what was approved stands last, and the program takes the first.
  const twice = environment(["KUBECONFIG=/home/ada/production", "KUBECONFIG=/home/ada/dev"]);
  assert.deepEqual(tellingVariables(Deno.pid, twice.address), {
    KUBECONFIG: "/home/ada/production\n/home/ada/dev",
  });
  assert.ok(usual.kept && twice.kept);
});

Deno.test("the gate tells such variables of programs that no rule names, which a person may be asked about", async () => {
  const asked: Execution[] = [];
  await using gated = await Gated.serving(async (reader) => {
    const say = (message: unknown) => reader.socket.write(`${JSON.stringify(message)}\n`);
    say({ kind: "hello", governed: [], carriers: [] });
    for await (const message of readMessages(reader)) {
      if (message.kind !== "ask") continue;
      asked.push(message.execution);
      say({ kind: "answer", number: message.number, allow: true });
    }
  });
  const { code, stderr } = await gated.shell("KUBECONFIG=/home/ada/production /bin/true");
  assert.equal(code, 0, stderr);
  const [of] = asked.filter(({ path }) => path === "/bin/true");
  assert.equal(of?.environment?.KUBECONFIG, "/home/ada/production");
});
