import {
  answer,
  encode,
  type Instruction,
  load,
  whenAtLeast,
  whenEqual,
} from "../../seccomp/bpf.ts";
import { address, ERRNO, errno, libc } from "./libc.ts";

/** Seccomp user notification (seccomp_unotify(2)): the kernel asks before a program is executed. */

const PR_SET_NO_NEW_PRIVS = 38;
const SECCOMP_SET_MODE_FILTER = 1n;
const NEW_LISTENER = 1n << 3n;
const WAIT_KILLABLE_RECV = 1n << 5n;

const KILL_PROCESS = 0x8000_0000;
const USER_NOTIF = 0x7fc0_0000;
const ALLOW = 0x7fff_0000;

const NOTIF_RECV = 0xc050_2100n;
const NOTIF_SEND = 0xc018_2101n;
const NOTIF_ID_VALID = 0x4008_2102n;
const NOTIF_SET_FLAGS = 0x4008_2104n;
const FLAG_CONTINUE = 1;
const SYNC_WAKE_UP = 1n;

/** Offsets in `struct seccomp_data`. */
const NUMBER = 0;
const ARCHITECTURE = 4;

interface Machine {
  readonly audit: number;
  readonly seccomp: bigint;
  readonly execve: number;
  readonly execveat: number;
  readonly hasX32: boolean;
}

const MACHINES: Readonly<Record<typeof Deno.build.arch, Machine>> = {
  x86_64: { audit: 0xc000003e, seccomp: 317n, execve: 59, execveat: 322, hasX32: true },
  aarch64: { audit: 0xc00000b7, seccomp: 277n, execve: 221, execveat: 281, hasX32: false },
};
const MACHINE = MACHINES[Deno.build.arch];

/** The program that asks about `execve` and `execveat`, and ends who calls for another machine. */
export function execFilter(arch: typeof Deno.build.arch = Deno.build.arch): Instruction[] {
  const { audit, execve, execveat, hasX32 } = MACHINES[arch];
  const ask = [answer(USER_NOTIF)];
  return [
    load(ARCHITECTURE),
    ...whenEqual(audit, [
      load(NUMBER),
      ...(hasX32 ? whenAtLeast(0x4000_0000, [answer(KILL_PROCESS)]) : []),
      ...whenEqual(execve, ask),
      ...whenEqual(execveat, ask),
      answer(ALLOW),
    ]),
    answer(KILL_PROCESS),
  ];
}

/** Why the kernel does not let programs be asked about. */
export class GateUnavailable extends Error {}

/**
 * From here on the kernel asks before anything that this thread starts executes a program; all
 * descendants are asked about, for good. Returns the descriptor on which it asks.
 *
 * @throws {GateUnavailable}
 */
export function listenForExec(): number {
  const program = encode(execFilter());
  const descriptor = new Uint8Array(16);
  const view = new DataView(descriptor.buffer);
  view.setUint16(0, program.length / 8, true);
  view.setBigUint64(8, address(program), true);
  libc.prctl(PR_SET_NO_NEW_PRIVS, 1n, 0n, 0n, 0n);
  const install = (flags: bigint) =>
    Number(libc.syscall(MACHINE.seccomp, SECCOMP_SET_MODE_FILTER, flags, descriptor, 0n));
  let listener = install(NEW_LISTENER | WAIT_KILLABLE_RECV);
  // Kernels before 5.19: a signal restarts the call then, which is asked for again.
  if (listener < 0 && errno() === ERRNO.EINVAL) listener = install(NEW_LISTENER);
  if (listener >= 0) return listener;
  throw new GateUnavailable(`seccomp user notification is refused: error number ${errno()}`);
}

/** A thread that waits to execute a program. */
export interface Attempt {
  /** Of this question, for as long as the kernel waits for its answer. */
  readonly id: bigint;
  /** The thread, by its number here. */
  readonly pid: number;
  /** `undefined` for `execve`: the current directory. */
  readonly directory: number | undefined;
  /** Addresses in the memory of the caller. */
  readonly path: bigint;
  readonly argv: bigint;
  readonly envp: bigint;
  readonly flags: number;
}

/** The kernel's questions. */
export class ExecListener {
  readonly #descriptor: number;
  readonly #question = new Uint8Array(80);
  readonly #questionView = new DataView(this.#question.buffer);
  readonly #answer = new Uint8Array(24);
  readonly #answerView = new DataView(this.#answer.buffer);

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
    // One of the two always waits for the other: woken on the same processor they take turns on it,
    // which saves calling another one. Kernels before 6.6 do without.
    libc.ioctlNumber(descriptor, NOTIF_SET_FLAGS, SYNC_WAKE_UP);
  }

  /** The next question; `undefined` when whoever waited has gone. */
  receive(): Attempt | undefined {
    this.#question.fill(0);
    if (libc.ioctl(this.#descriptor, NOTIF_RECV, this.#question) !== 0) return undefined;
    const view = this.#questionView;
    const isAt = view.getInt32(16, true) === MACHINE.execveat;
    const argument = (index: number) => view.getBigUint64(32 + 8 * index, true);
    const shift = isAt ? 1 : 0;
    return {
      id: view.getBigUint64(0, true),
      pid: view.getUint32(8, true),
      directory: isAt ? Number(BigInt.asIntN(32, argument(0))) : undefined,
      path: argument(shift),
      argv: argument(shift + 1),
      envp: argument(shift + 2),
      flags: isAt ? Number(BigInt.asUintN(32, argument(4))) : 0,
    };
  }

  /** Whether the thread still waits: what was read of its memory is its own then. */
  isWaiting({ id }: Attempt): boolean {
    this.#answerView.setBigUint64(0, id, true);
    return libc.ioctl(this.#descriptor, NOTIF_ID_VALID, this.#answer) === 0;
  }

  /** Lets the call go on. `false` when whoever waited has gone. */
  allow(attempt: Attempt): boolean {
    return this.#send(attempt, 0, FLAG_CONTINUE);
  }

  /** Makes the call fail. */
  refuse(attempt: Attempt, error: number): boolean {
    return this.#send(attempt, -error, 0);
  }

  #send({ id }: Attempt, error: number, flags: number): boolean {
    this.#answerView.setBigUint64(0, id, true);
    this.#answerView.setBigInt64(8, 0n, true);
    this.#answerView.setInt32(16, error, true);
    this.#answerView.setUint32(20, flags, true);
    return libc.ioctl(this.#descriptor, NOTIF_SEND, this.#answer) === 0;
  }
}
