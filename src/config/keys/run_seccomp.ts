import { nearest } from "../../core/nearest.ts";
import { key, section } from "../key.ts";
import { systemCalls } from "../system_calls.ts";
import type { Checked } from "../reader.ts";
import { list, PATH, text } from "../value_type.ts";

/** What the layer around the agent goes on needing under the same filter, or puts the filters in with. */
export const NEEDED_BY_LAYER: ReadonlySet<string> = new Set([
  ...["execve", "exit", "exit_group", "prctl", "seccomp", "wait4", "write"],
]);

/** What starting any program takes: with one of these refused, nothing would start. */
export const NEEDED_CALLS: ReadonlySet<string> = new Set([
  ...NEEDED_BY_LAYER,
  ...["arch_prctl", "brk", "close", "fstat", "futex", "mmap", "mprotect", "munmap", "newfstatat"],
  ...["openat", "pread64", "read", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn"],
]);

const CALL_NAME = { pattern: "^[a-z_][a-z0-9_]*$" } as const;

function checkCall(value: string): Checked<string> {
  if (systemCalls().has(value)) return { value };
  const close = nearest(value, systemCalls().keys());
  return {
    state: `there is no system call "${value}"`,
    cure: close === undefined ? "man 2 syscalls lists them" : `did you mean "${close}"?`,
  };
}

/** The name of a system call of Linux, on any machine. */
export const SYSTEM_CALL = text<string>("name of a system call", CALL_NAME, checkCall);

/** What is wrong with refusing a call that cannot be done without. */
export function neededFault(call: string): { readonly state: string; readonly cure: string } {
  return { state: `no program would start without "${call}"`, cure: "leave it out" };
}

const REFUSABLE_CALL = text<string>(
  "name of a system call",
  CALL_NAME,
  (value) => NEEDED_CALLS.has(value) ? neededFault(value) : checkCall(value),
);

/** `[run.seccomp]` */
export const SECCOMP = section("What the kernel refuses beyond what it refuses every agent", {
  deny: key(list(REFUSABLE_CALL, "list of system calls"), {
    about: "System calls that fail with EPERM; calls by the numbers of x32 and i386 always end " +
      "the process",
    default: [],
    example: ["memfd_create", "mknodat"],
    applies: "next run",
  }),
  policy: key(PATH, {
    about: "A file with rules of the same form as `packs/seccomp/agent.toml`; it can refuse and " +
      "permit nothing",
    otherwise: "none",
    example: "seccomp.toml",
    applies: "next run",
  }),
});
