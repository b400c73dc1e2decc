import type { Attempt } from "../init/gate/listener.ts";

/** What the kernel says of a process that has just been started, before it ran anything of note. */

/** `AT_EXECFN` (getauxval(3)): the path that was executed; of a script, that of the script. */
const EXECUTED_AS = 31n;
/** Of `startstack` in `/proc/PID/stat`, counted behind the name of the program. */
const STACK_FIELD = 25;
const POINTER = 8n;

/** An execution that has taken place, as if it were about to; `undefined` where it cannot be seen. */
export function executionOfProcess(pid: number): Attempt | undefined {
  try {
    const argv = argumentsOf(pid);
    const envp = environmentOf(pid, argv);
    const path = executedAs(pid);
    return { id: 0n, pid, directory: undefined, path, argv, envp, flags: 0 };
  } catch {
    return undefined; // it has ended
  }
}

/** The kernel has laid down the number of arguments at the top of the stack, and then the list. */
function argumentsOf(pid: number): bigint {
  const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return BigInt(fields[STACK_FIELD]!) + POINTER;
}

/** Behind the arguments and the null pointer that ends them. */
function environmentOf(pid: number, argv: bigint): bigint {
  using memory = Deno.openSync(`/proc/${pid}/mem`);
  memory.seekSync(argv - POINTER, Deno.SeekMode.Start);
  const count = new Uint8Array(8);
  memory.readSync(count);
  return argv + POINTER * (new DataView(count.buffer).getBigUint64(0, true) + 1n);
}

function executedAs(pid: number): bigint {
  const bytes = Deno.readFileSync(`/proc/${pid}/auxv`);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at + 16 <= bytes.length; at += 16) {
    if (view.getBigUint64(at, true) === EXECUTED_AS) return view.getBigUint64(at + 8, true);
  }
  return 0n;
}
