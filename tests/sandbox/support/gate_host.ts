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
  /** Files cannot grow. */
  readonly isDiskFull?: boolean;
}

const { command: [program, ...args], socket, timeoutMs, own = [], only, isDiskFull } = JSON.parse(
  Deno.args[0]!,
) as GateHostOptions;
const gate = new GateThread();
const path = Deno.env.get("PATH") ?? "";
if (isDiskFull === true) fillDisk();
try {
  await gate.open({ socket, own, builders: 0, path, timeoutMs, only });
  const child = new Deno.Command(program, { args }).spawn();
  void gate.ended.then((reason) => console.error(`gate ended: ${reason}`));
  const { code } = await child.status;
  Deno.exit(code);
} catch (cause) {
  console.error(`not started: ${cause instanceof Error ? cause.message : cause}`);
  Deno.exit(111);
}

/** A limit of this process stands for it, whose signal is ignored. */
function fillDisk(): void {
  const { symbols } = Deno.dlopen("libc.so.6", {
    setrlimit: { parameters: ["i32", "buffer"], result: "i32" },
    signal: { parameters: ["i32", "u64"], result: "u64" },
  });
  const [FSIZE, SIGXFSZ, SIG_IGN] = [1, 25, 1n];
  symbols.signal(SIGXFSZ, SIG_IGN);
  symbols.setrlimit(FSIZE, new Uint8Array(16));
}
