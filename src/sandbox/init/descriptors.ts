import { libc } from "./libc.ts";

const CLOSE_RANGE = 436n; // the same on every machine
const FIRST_AFTER_STANDARD = 3n;
const LAST = 0xffff_ffffn;
const CLOSE_ON_EXEC = 4n;

/**
 * Keeps descriptors that firma itself inherited away from the agent: an editor's terminal leaks
 * some, and an open directory outside the sandbox is a way out of it. Best effort on kernels
 * before 5.11, which do not know the call.
 */
export function closeInheritedOnExec(): void {
  libc.syscall(CLOSE_RANGE, FIRST_AFTER_STANDARD, LAST, CLOSE_ON_EXEC);
}
