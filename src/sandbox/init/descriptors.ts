import { libc } from "./libc.ts";

const CLOSE_RANGE = 436n; // the same on every machine
const FIRST_AFTER_STANDARD = 3n;
const LAST = 0xffff_ffffn;
const CLOSE_ON_EXEC = 4n;
const F_SETFD = 2;
const FD_CLOEXEC = 1;

/**
 * Keeps descriptors that firma itself inherited away from the agent: an editor's terminal leaks
 * some, and an open directory outside the sandbox is a way out of it.
 */
export function closeInheritedOnExec(): void {
  if (libc.syscall(CLOSE_RANGE, FIRST_AFTER_STANDARD, LAST, CLOSE_ON_EXEC) === 0n) return;
  // Kernels before 5.11.
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    if (Number(name) >= FIRST_AFTER_STANDARD) libc.fcntl(Number(name), F_SETFD, FD_CLOEXEC);
  }
}
