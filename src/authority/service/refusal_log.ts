import { Ration } from "../../net/ration.ts";
import type { Report } from "./service.ts";

/** Refusals that are told at once and a second; whoever knocks must not fill a disk. */
const TOLD = [100, 10] as const;

/** Tells of refused clients, each with its reason, and of many at once how many they were. */
export class RefusalLog {
  readonly #report: Report;
  readonly #ration = new Ration(...TOLD);
  #untold = 0;

  constructor(report: Report) {
    this.#report = report;
  }

  /** Tells of a refusal, or counts it. */
  add(text: string): void {
    if (!this.#ration.spend(1)) {
      this.#ration.earn(1);
      this.#untold++;
      return;
    }
    this.flush();
    this.#report("warn", text);
  }

  /** Tells how many were only counted. */
  flush(): void {
    if (this.#untold === 0) return;
    this.#report("warn", `Refused or disconnected ${this.#untold} more clients`);
    this.#untold = 0;
  }
}
