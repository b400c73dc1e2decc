/**
 * Runs one command below an execution gate, without a sandbox around it: what the tests of the gate
 * start. The options are one JSON argument; the exit code is that of the command.
 */
import { GateThread } from "../../../src/sandbox/init/gate/start.ts";

/** What a test asks for. */
export interface GateHostOptions {
  readonly command: readonly [string, ...string[]];
  /** Where the Sidecar listens. */
  readonly socket: string;
  readonly timeoutMs: number;
  /** What firma itself executes before the command. */
  readonly own?: readonly string[];
  /** The only programs that are decided. */
  readonly only?: readonly string[];
}

const { command: [program, ...args], socket, timeoutMs, own = [], only } = JSON.parse(
  Deno.args[0]!,
) as GateHostOptions;
const gate = new GateThread();
const path = Deno.env.get("PATH") ?? "";
try {
  await gate.open({ socket, own, path, timeoutMs, only });
  const child = new Deno.Command(program, { args }).spawn();
  void gate.ended.then((reason) => console.error(`gate ended: ${reason}`));
  const { code } = await child.status;
  Deno.exit(code);
} catch (cause) {
  console.error(`not started: ${cause instanceof Error ? cause.message : cause}`);
  Deno.exit(111);
}
