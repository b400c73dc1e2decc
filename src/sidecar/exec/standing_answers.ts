import type { ActionClass } from "../../core/action_class.ts";
import { type Execution, questionOf } from "../../core/local_exec.ts";

/** An answer that holds until it is taken back, and what to record of whatever runs by it. */
export interface StandingAnswer {
  /** The event that records the decision. */
  readonly eventId: string;
  readonly actionClass: ActionClass;
  readonly tokenId: string;
}

/** A gate is told to forget all of them before there are more. */
const MOST = 4_096;

/** The answers of one session that a gate gives by itself. */
export class StandingAnswers {
  #now = new Map<string, StandingAnswer>();
  /** Those that stood before, of which more may be heard that ran until the gate heard so. */
  #before: ReadonlyMap<string, StandingAnswer> = new Map();

  /** No more can be added before {@linkcode forget}. */
  get isFull(): boolean {
    return this.#now.size >= MOST;
  }

  /** The classes of which something stands. */
  get actionClasses(): ReadonlySet<ActionClass> {
    return new Set([...this.#now.values()].map(({ actionClass }) => actionClass));
  }

  /** From now on `answer` holds for the program of `execution`, or for exactly what it says. */
  add(execution: Execution, of: "program" | "question", answer: StandingAnswer): void {
    this.#now.set(of === "program" ? programOf(execution) : questionOf(execution), answer);
  }

  /** What an execution ran by. */
  find(execution: Execution): StandingAnswer | undefined {
    const named = (name: string) => this.#now.get(name) ?? this.#before.get(name);
    return named(programOf(execution)) ?? named(questionOf(execution));
  }

  /** Nothing stands any longer. */
  forget(): void {
    if (this.#now.size > 0) this.#before = this.#now;
    this.#now = new Map();
  }
}

/** A program as the gate names it, whatever its arguments. */
function programOf({ file, names }: Execution): string {
  return [file, ...names].join("\0");
}
