import { readStart } from "../init/gate/file.ts";
import type { Attempt } from "../init/gate/listener.ts";
import { readNumber, readString } from "../init/gate/memory.ts";

/** What the kernel says of a process that has just been started, before it ran anything of note. */

/** A program that has been executed, as if it were about to be. */
export interface Started extends Attempt {
  /** What it was executed by, if that can be read; of a script, the script. */
  readonly calledAs: string | undefined;
}

/** `AT_EXECFN` (getauxval(3)): the path that was executed. */
const EXECUTED_AS = 31n;
/** Of `startstack` in `/proc/PID/stat`, counted behind the name of the program. */
const STACK_FIELD = 25;
const POINTER = 8n;
const LONGEST_PATH = 4096;
/** More than either file ever holds. */
const [STAT_SIZE, VECTOR_SIZE] = [2048, 1024];

const decoder = new TextDecoder();

/** What a process was started as; `undefined` where that cannot be seen. */
export function startedAs(pid: number): Started | undefined {
  const argv = argumentsOf(pid);
  const count = argv === undefined ? undefined : readNumber(pid, argv - POINTER);
  if (argv === undefined || count === undefined) return undefined;
  // Behind the arguments and the null pointer that ends them.
  const envp = argv + POINTER * (BigInt(count) + 1n);
  const path = executedAs(pid);
  const text = readString(pid, path, LONGEST_PATH);
  const calledAs = typeof text === "string" ? text : undefined;
  return { id: 0n, pid, directory: undefined, path, argv, envp, flags: 0, calledAs };
}

/** The kernel has laid down the number of arguments at the top of the stack, and then the list. */
function argumentsOf(pid: number): bigint | undefined {
  const text = decoder.decode(readStart(`/proc/${pid}/stat`, STAT_SIZE));
  const top = text.slice(text.lastIndexOf(")") + 2).split(" ")[STACK_FIELD];
  return top === undefined ? undefined : BigInt(top) + POINTER;
}

function executedAs(pid: number): bigint {
  const bytes = readStart(`/proc/${pid}/auxv`, VECTOR_SIZE) ?? new Uint8Array();
  const view = new DataView(bytes.buffer, 0, bytes.length);
  for (let at = 0; at + 16 <= bytes.length; at += 16) {
    if (view.getBigUint64(at, true) === EXECUTED_AS) return view.getBigUint64(at + 8, true);
  }
  return 0n;
}
