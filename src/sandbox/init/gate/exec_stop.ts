import { address, libc } from "./libc.ts";

/**
 * Stops a program between its execution and its first instruction, so that what runs can be
 * compared with what was decided: the caller's memory, and what is at a path, may change after the
 * gate has read them. With ptrace(2): who waits for an answer is seized before it gets it.
 */

const SEIZE = 0x4206n;
const INTERRUPT = 0x4207n;
const DETACH = 17n;
const GETEVENTMSG = 0x4201n;
const GETREGSET = 0x4204n;
const NT_PRSTATUS = 1n;
/** End the tracee with the tracer; stop after execution. */
const OPTIONS = 0x0010_0000n | 0x10n;
const EVENT_EXEC = 4;

const WNOHANG = 1;
const WALL = 0x4000_0000;
const OWN_TRACEES = 0x2000_0000;
const SIGKILL = 9;

/** A thread that stopped or ended. */
export interface Stopped {
  /** After execution this is the process, whichever of its threads had asked. */
  readonly pid: number;
  /** The thread that had asked. */
  readonly asker: number;
  /** `executed`: a new program is about to begin. `failed`: it could not be executed. */
  readonly how: "executed" | "failed" | "ended";
  /** What it was about to be told, 0 for nothing. */
  readonly signal: number;
}

const status = new Uint8Array(4);
const statusView = new DataView(status.buffer);
const message = new Uint8Array(8);
const messageView = new DataView(message.buffer);
const messageAddress = address(message);

/** Has a thread that waits for an answer stop when it executes. */
export function seize(pid: number): boolean {
  return libc.ptrace(SEIZE, BigInt(pid), 0n, OPTIONS) === 0n;
}

/** Has it stop as well when it could not: that has no event of its own. */
export function interrupt(pid: number): void {
  libc.ptrace(INTERRUPT, BigInt(pid), 0n, 0n);
}

/**
 * The next thread that stopped; `undefined` when none has yet, or, waiting for it, when a signal came
 * first. `only` is the one thread that was told to go on, where there is but one: then nobody else
 * can have executed anything, and the kernel is not asked who did.
 */
export function nextStopped(isWaiting: boolean, only: number | undefined): Stopped | undefined {
  const pid = libc.wait4(-1, status, (isWaiting ? 0 : WNOHANG) | WALL | OWN_TRACEES, null);
  if (pid <= 0) return undefined;
  const value = statusView.getInt32(0, true);
  if ((value & 0xff) !== 0x7f) return { pid, asker: pid, how: "ended", signal: 0 };
  const event = value >> 16;
  if (event !== EVENT_EXEC) {
    return { pid, asker: pid, how: "failed", signal: event === 0 ? (value >> 8) & 0xff : 0 };
  }
  if (pid === only) return { pid, asker: pid, how: "executed", signal: 0 };
  const isTold = libc.ptrace(GETEVENTMSG, BigInt(pid), 0n, messageAddress) === 0n;
  const asker = isTold ? Number(messageView.getBigUint64(0, true)) : pid;
  return { pid, asker, how: "executed", signal: 0 };
}

/** Lets a stopped thread go on, no longer traced. */
export function release({ pid, signal }: Pick<Stopped, "pid" | "signal">): void {
  libc.ptrace(DETACH, BigInt(pid), 0n, BigInt(signal));
}

/**
 * Ends a stopped process. Its end has to be waited for with {@linkcode nextStopped}: until then its
 * own parent does not hear of it.
 */
export function end(pid: number): void {
  libc.kill(pid, SIGKILL);
}

/** Where the stack pointer is among the general registers. */
const STACK_POINTER: Readonly<Record<typeof Deno.build.arch, number>> = {
  x86_64: 19 * 8,
  aarch64: 31 * 8,
};
const POINTER = 8n;

const registers = new Uint8Array(512);
const registersView = new DataView(registers.buffer);
const vector = new Uint8Array(16);
const vectorView = new DataView(vector.buffer);
vectorView.setBigUint64(0, address(registers), true);
const vectorAddress = address(vector);

/**
 * Where a program that has executed and not begun finds its arguments, as the kernel laid them down;
 * a null pointer ends them, and its environment follows.
 */
export function startingArguments(pid: number): bigint | undefined {
  vectorView.setBigUint64(8, BigInt(registers.length), true);
  if (libc.ptrace(GETREGSET, BigInt(pid), NT_PRSTATUS, vectorAddress) !== 0n) return undefined;
  // Their number is at the top of the stack, and then the list.
  return registersView.getBigUint64(STACK_POINTER[Deno.build.arch], true) + POINTER;
}
