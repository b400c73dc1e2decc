import { programModule } from "../config/program_file.ts";
import { type CheckedLines, checkLines } from "./check_lines.ts";

/** Checks blocks of lines, several at the same time where there are several workers. */
export interface LineChecker extends Disposable {
  /** How many blocks to hand over before the first of them is asked for. */
  readonly lookahead: number;
  /** Takes `bytes` over: the caller must not use them any more. */
  check(bytes: Uint8Array<ArrayBuffer>): Promise<CheckedLines>;
}

/** What a worker is sent: the keys, and where lines come from and what was found goes to. */
export interface CheckOrder {
  readonly publicKeys: readonly Uint8Array[];
  readonly port: MessagePort;
}

interface Member {
  readonly worker: Worker;
  readonly port: MessagePort;
  readonly waiting: PromiseWithResolvers<CheckedLines>[];
}

/** Checks on this thread, or on as many others as `workers` says. */
export function lineChecker(publicKeys: readonly Uint8Array[], workers: number): LineChecker {
  return workers > 0 ? new CheckerPool(publicKeys, workers) : {
    lookahead: 1,
    check: (bytes) => Promise.resolve(checkLines(bytes, publicKeys)),
    [Symbol.dispose]() {},
  };
}

class CheckerPool implements LineChecker {
  readonly lookahead: number;
  readonly #members: Member[];

  constructor(publicKeys: readonly Uint8Array[], workers: number) {
    this.lookahead = 2 * workers;
    this.#members = Array.from({ length: workers }, () => start(publicKeys));
  }

  check(bytes: Uint8Array<ArrayBuffer>): Promise<CheckedLines> {
    const least = this.#members.reduce((one, other) =>
      other.waiting.length < one.waiting.length ? other : one
    );
    const result = Promise.withResolvers<CheckedLines>();
    least.waiting.push(result);
    least.port.postMessage(bytes, [bytes.buffer]);
    return result.promise;
  }

  [Symbol.dispose](): void {
    for (const { worker, port } of this.#members) {
      port.close();
      worker.terminate();
    }
  }
}

function start(publicKeys: readonly Uint8Array[]): Member {
  const worker = new Worker(programModule("src/audit/worker/main.ts"), {
    type: "module",
    deno: { permissions: "none" },
  });
  const { port1: port, port2 } = new MessageChannel();
  const waiting: Member["waiting"] = [];
  port.onmessage = ({ data }: MessageEvent<CheckedLines>) => waiting.shift()?.resolve(data);
  worker.onerror = (event) => {
    event.preventDefault();
    const cause = new Error(`a worker that verifies broke: ${event.message}`);
    for (const { reject } of waiting.splice(0)) reject(cause);
  };
  const order: CheckOrder = { publicKeys, port: port2 };
  worker.postMessage(order, [port2]);
  return { worker, port, waiting };
}
