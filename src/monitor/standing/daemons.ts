import { programModule } from "../../config/program_file.ts";
import type { Environment } from "../../config/paths.ts";
import { err, type Result } from "../../core/result.ts";
import type { ApprovalRow, Verdict } from "../../daemon/approvals.ts";
import { NOTHING_RUNS, type Standing } from "./standing.ts";

/** The daemons as a monitor sees them. */
export interface Daemons {
  /** What runs now. Never rejects. */
  look(): Promise<Standing>;
  /** Says what becomes of something that waits for a person. */
  rule(id: string, verdict: Verdict): Promise<Result<ApprovalRow>>;
}

/** To the worker: first the environment, then questions. */
export type ToDaemons =
  | { readonly kind: "environment"; readonly env: Environment }
  | { readonly kind: "look"; readonly number: number }
  | {
    readonly kind: "rule";
    readonly number: number;
    readonly id: string;
    readonly verdict: Verdict;
  };

/** From the worker. */
export type FromDaemons =
  | { readonly kind: "ready" }
  | { readonly kind: "answer"; readonly number: number; readonly answer: unknown };

const EVERYTHING: Deno.PermissionOptionsObject = {
  env: true,
  ffi: true,
  import: true,
  net: true,
  read: true,
  run: true,
  sys: true,
  write: true,
};

/**
 * The daemons by way of a worker, which keeps the permissions that this takes: whether a process
 * runs is told from /proc, and Deno opens that only to who may do all. Whoever reads what agents
 * wrote can then go without.
 */
export class DaemonsWorker implements Daemons, Disposable {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, (answer: unknown) => void>();
  readonly #ready = Promise.withResolvers<void>();
  #number = 0;
  #failure: string | undefined;

  constructor(env: Environment) {
    this.#worker = new Worker(programModule("src/monitor/standing/worker/main.ts"), {
      type: "module",
      name: "firma-monitor-daemons",
      // By name: what it merely inherited would go when this thread gives it up.
      deno: { permissions: EVERYTHING },
    });
    this.#worker.onmessage = ({ data }: MessageEvent<FromDaemons>) => {
      if (data.kind === "ready") return this.#ready.resolve();
      this.#waiting.get(data.number)?.(data.answer);
      this.#waiting.delete(data.number);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#failure = event.message;
      this.#ready.resolve();
      for (const answer of this.#waiting.values()) answer(undefined);
      this.#waiting.clear();
    };
    this.#post({ kind: "environment", env });
  }

  /** When it has loaded, or failed to. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  async look(): Promise<Standing> {
    const standing = await this.#ask((number) => ({ kind: "look", number }));
    return standing as Standing | undefined ??
      { ...NOTHING_RUNS, problem: `Cannot look for daemons: ${this.#failure}` };
  }

  async rule(id: string, verdict: Verdict): Promise<Result<ApprovalRow>> {
    const ruled = await this.#ask((number) => ({ kind: "rule", number, id, verdict }));
    return ruled as Result<ApprovalRow> | undefined ??
      err({ code: "SIDECAR_UNREACHABLE", message: `Cannot ask a Sidecar: ${this.#failure}` });
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }

  #ask(question: (number: number) => ToDaemons): Promise<unknown> {
    if (this.#failure !== undefined) return Promise.resolve(undefined);
    const number = this.#number++;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#waiting.set(number, resolve);
    this.#post(question(number));
    return promise;
  }

  #post(message: ToDaemons): void {
    this.#worker.postMessage(message);
  }
}
