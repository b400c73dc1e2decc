import { programModule } from "../config/program_file.ts";
import { type CheckedLines, checkLines } from "./check_lines.ts";

/** Checks blocks of lines, several at the same time where there are several workers. */
export interface LineChecker extends Disposable {
  /** How many blocks to hand over before the first of them is asked for. */
  readonly lookahead: number;
  /** Takes `bytes` over: the caller must not use them any more. */
  check(
    bytes: Uint8Array<ArrayBuffer>,
    publicKeys: readonly Uint8Array[],
  ): Promise<CheckedLines>;
}

/** What a worker is sent first. */
export interface CheckStart {
  /** Through which it gets its orders. */
  readonly port: MessagePort;
  /** Where it counts the blocks that it is done with. */
  readonly done: Int32Array<SharedArrayBuffer>;
}

/** What a worker is sent for each block. */
export interface CheckOrder {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly publicKeys: readonly Uint8Array[];
}

interface Member {
  readonly worker: Worker;
  readonly port: MessagePort;
  readonly done: Int32Array<SharedArrayBuffer>;
  readonly waiting: PromiseWithResolvers<CheckedLines>[];
  sent: number;
  /** Why it checks nothing any more. */
  broken?: Error;
}

/** Blocks that a worker has to have, so that it is never idle while this thread checks one. */
const QUEUED = 2;
/** Blocks that this thread checks while the first worker starts. */
const AHEAD = 8;

/** Checks on this thread, and on as many others as `workers` says. */
export function lineChecker(workers: number): LineChecker {
  return workers > 0 ? new CheckerPool(workers) : {
    lookahead: 1,
    check: (bytes, publicKeys) => Promise.resolve(checkLines(bytes, publicKeys)),
    [Symbol.dispose]() {},
  };
}

class CheckerPool implements LineChecker {
  readonly lookahead: number;
  readonly #members: Member[];

  constructor(workers: number) {
    this.lookahead = QUEUED * workers + AHEAD;
    this.#members = Array.from({ length: workers }, start);
  }

  check(
    bytes: Uint8Array<ArrayBuffer>,
    publicKeys: readonly Uint8Array[],
  ): Promise<CheckedLines> {
    const least = this.#members.reduce((one, other) => load(other) < load(one) ? other : one);
    if (least.broken !== undefined) return Promise.reject(least.broken);
    if (load(least) >= QUEUED) return Promise.resolve(checkLines(bytes, publicKeys));
    const result = Promise.withResolvers<CheckedLines>();
    least.waiting.push(result);
    least.sent++;
    const order: CheckOrder = { bytes, publicKeys };
    least.port.postMessage(order, [bytes.buffer]);
    return result.promise;
  }

  [Symbol.dispose](): void {
    for (const { worker, port } of this.#members) {
      port.close();
      worker.terminate();
    }
  }
}

/** Blocks that it has and is not done with, whether or not we have heard of those that it is. */
function load({ sent, done }: Member): number {
  return sent - Atomics.load(done, 0);
}

function start(): Member {
  const worker = new Worker(programModule("src/audit/worker/main.ts"), {
    type: "module",
    deno: { permissions: "none" },
  });
  const { port1: port, port2 } = new MessageChannel();
  const done = new Int32Array(new SharedArrayBuffer(4));
  const waiting: Member["waiting"] = [];
  port.onmessage = ({ data }: MessageEvent<CheckedLines>) => waiting.shift()?.resolve(data);
  const member: Member = { worker, port, done, waiting, sent: 0 };
  worker.onerror = (event) => {
    event.preventDefault();
    // Perhaps before it was asked anything.
    member.broken = new Error(`a worker that verifies broke: ${event.message}`);
    for (const { reject } of waiting.splice(0)) reject(member.broken);
  };
  const orders: CheckStart = { port: port2, done };
  worker.postMessage(orders, [port2]);
  return member;
}
