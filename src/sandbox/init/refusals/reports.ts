import { type Refusal, type RefusalReport, RefusalTally } from "./tally.ts";

/** How often it is told what was only counted, in milliseconds. */
const FLUSH_MS = 10_000;

/** Tells of refusals in few words, and of none before it was told that there is an agent. */
export class RefusalReports {
  readonly #tally: RefusalTally;
  readonly #tell: (report: RefusalReport) => void;
  #early: RefusalReport[] | undefined = [];
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(tell: (report: RefusalReport) => void) {
    this.#tell = tell;
    this.#tally = new RefusalTally((report) =>
      this.#early === undefined ? tell(report) : void this.#early.push(report)
    );
  }

  add(refusal: Refusal): void {
    this.#tally.add(refusal);
    this.#timer ??= setInterval(() => this.#tally.flush(), FLUSH_MS);
  }

  /** From now on there is an agent. */
  begin(): void {
    for (const report of this.#early ?? []) this.#tell(report);
    this.#early = undefined;
  }

  /** Tells the rest. */
  end(): void {
    if (this.#timer !== undefined) clearInterval(this.#timer); // which would load Deno's timers
    this.#tally.flush();
  }
}
