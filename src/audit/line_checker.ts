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

/** What a worker is sent for each block, through the port that it is sent first. */
export interface CheckOrder {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly publicKeys: readonly Uint8Array[];
}

interface Member {
  readonly worker: Worker;
  readonly port: MessagePort;
  readonly waiting: PromiseWithResolvers<CheckedLines>[];
  /** Why it checks nothing any more. */
  broken?: Error;
}

/** Checks on this thread, or on as many others as `workers` says. */
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
    this.lookahead = 2 * workers;
    this.#members = Array.from({ length: workers }, start);
  }

  check(
    bytes: Uint8Array<ArrayBuffer>,
    publicKeys: readonly Uint8Array[],
  ): Promise<CheckedLines> {
    const least = this.#members.reduce((one, other) =>
      other.waiting.length < one.waiting.length ? other : one
    );
    if (least.broken !== undefined) return Promise.reject(least.broken);
    const result = Promise.withResolvers<CheckedLines>();
    least.waiting.push(result);
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

function start(): Member {
  const worker = new Worker(programModule("src/audit/worker/main.ts"), {
    type: "module",
    deno: { permissions: "none" },
  });
  const { port1: port, port2 } = new MessageChannel();
  const waiting: Member["waiting"] = [];
  port.onmessage = ({ data }: MessageEvent<CheckedLines>) => waiting.shift()?.resolve(data);
  const member: Member = { worker, port, waiting };
  worker.onerror = (event) => {
    event.preventDefault();
    // Perhaps before it was asked anything.
    member.broken = new Error(`a worker that verifies broke: ${event.message}`);
    for (const { reject } of waiting.splice(0)) reject(member.broken);
  };
  worker.postMessage(port2, [port2]);
  return member;
}
