import { address, cString, libc } from "./libc.ts";

/**
 * Ends a call that waits (`EINTR`) on the thread that made this, so that it may wait without end by
 * itself: with a timer of that thread, and a signal that nobody else uses and whose lack of a handler
 * would end nothing.
 */

interface Machine {
  readonly timerCreate: bigint;
  readonly timerSettime: bigint;
  readonly getTid: bigint;
}

const MACHINES: Readonly<Record<typeof Deno.build.arch, Machine>> = {
  x86_64: { timerCreate: 222n, timerSettime: 223n, getTid: 186n },
  aarch64: { timerCreate: 107n, timerSettime: 110n, getTid: 178n },
};
const MACHINE = MACHINES[Deno.build.arch];

const SIGURG = 23;
const CLOCK_MONOTONIC = 1n;
const SIGEV_THREAD_ID = 4;
const NONE = new Uint8Array(8);
const NEVER = new Uint8Array(32);

/** A timer of the thread that made it. */
export class Alarm {
  readonly #timer: bigint;
  /** `struct itimerspec`: the interval, and how long until the first time. */
  readonly #time = new Uint8Array(32);
  readonly #timeAddress = address(this.#time);
  readonly #neverAddress = address(NEVER);

  private constructor(timer: number, ms: number) {
    this.#timer = BigInt(timer);
    const view = new DataView(this.#time.buffer);
    for (const at of [0, 16]) {
      view.setBigInt64(at, BigInt(Math.floor(ms / 1_000)), true);
      view.setBigInt64(at + 8, BigInt(ms % 1_000) * 1_000_000n, true);
    }
  }

  /** One that goes off each so many milliseconds while it is set; `undefined` where none can. */
  static every(ms: number): Alarm | undefined {
    if (libc.dlsym === null) return undefined;
    // A function of the C library that does nothing: a handler of ours would run JavaScript.
    const handler = libc.dlsym(null, cString("abs"));
    if (handler === null) return undefined;
    const action = new Uint8Array(256);
    new DataView(action.buffer).setBigUint64(0, Deno.UnsafePointer.value(handler), true);
    if (libc.sigaction(SIGURG, action, null) !== 0) return undefined;
    const event = new Uint8Array(64);
    const view = new DataView(event.buffer);
    view.setInt32(8, SIGURG, true);
    view.setInt32(12, SIGEV_THREAD_ID, true);
    view.setInt32(16, Number(libc.syscall(MACHINE.getTid, 0n, 0n, NONE, 0n)), true);
    const timer = new Uint8Array(8);
    const isMade =
      libc.syscall(MACHINE.timerCreate, CLOCK_MONOTONIC, address(event), timer, 0n) === 0n;
    return isMade ? new Alarm(new DataView(timer.buffer).getInt32(0, true), ms) : undefined;
  }

  /**
   * Has it go off from now on, again and again: the first time may come before the thread waits, on a
   * busy machine.
   */
  set(): void {
    libc.timerSettime(MACHINE.timerSettime, this.#timer, 0n, this.#timeAddress, 0n);
  }

  /** Has it go off no more. */
  clear(): void {
    libc.timerSettime(MACHINE.timerSettime, this.#timer, 0n, this.#neverAddress, 0n);
  }
}
