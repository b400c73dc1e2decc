import { address, ERRNO, errno, libc } from "./libc.ts";

const DETACH = 17n;
const PTRACE_SCOPE = "/proc/sys/kernel/yama/ptrace_scope";
/** Nobody may trace anything. */
const NO_TRACING = "3";
/** No process has it: the kernel gives out smaller ones alone. */
const NOBODY = 0x7fff_fff0;

/**
 * Why what runs cannot be compared with what was decided, by asking about a process that does not
 * exist; `undefined` where it can.
 */
export function whyNoTracing(): string | undefined {
  if (settingOf(PTRACE_SCOPE) === NO_TRACING) return `${PTRACE_SCOPE} is ${NO_TRACING}`;
  libc.ptrace(DETACH, BigInt(NOBODY), 0n, 0n);
  const traced = errno();
  if (traced !== ERRNO.ESRCH) return `ptrace is refused: error number ${traced}`;
  return undefined;
}

/** Why the memory of processes cannot be read, which both ways need; `undefined` where it can. */
export function whyNoReading(): string | undefined {
  const byte = new Uint8Array(1);
  const vector = new Uint8Array(16);
  const view = new DataView(vector.buffer);
  view.setBigUint64(0, address(byte), true);
  view.setBigUint64(8, 1n, true);
  libc.process_vm_readv(NOBODY, vector, 1n, vector, 1n, 0n);
  const read = errno();
  return read === ERRNO.ESRCH ? undefined : `process_vm_readv is refused: error number ${read}`;
}

function settingOf(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path).trim();
  } catch {
    return undefined; // a kernel without Yama
  }
}
