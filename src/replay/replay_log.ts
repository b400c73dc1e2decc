import { type Decision, holdsBack } from "../core/decision.ts";
import type { ExecutionEvent } from "../core/event.ts";
import type { Decider } from "../sidecar/pipeline/policy.ts";
import { type DecidedEvent, type Judged, type Replayed, replayEvent } from "./replay_event.ts";

/** Calls of one class that turn in the same way and by the same policies. */
export interface Change {
  readonly actionClass: string;
  readonly was: Decision;
  readonly now: Decision;
  /**
   * The policies that turn it: those that determine the new decision or, where nothing permits the
   * calls any more, those that permitted them.
   */
  readonly policyIds: readonly string[];
  /** Nothing permits the calls any more; `policyIds` are of the old decision. */
  readonly unpermitted: boolean;
  readonly count: number;
  /** The first of them. */
  readonly example: DecidedEvent;
  readonly eventIds: readonly string[];
}

/** What another bundle would have decided of the calls in a log. */
export interface ReplayReport {
  /** Decisions in the log. */
  readonly decisions: number;
  /** Of those, what policies were not asked about: it would meet the same end. */
  readonly withoutPolicies: number;
  readonly same: number;
  /** Held back now, and let out before. */
  readonly newlyDenied: number;
  /** Let out now, and held back before. */
  readonly newlyAllowed: number;
  /** Most calls first. */
  readonly changes: readonly Change[];
}

interface OpenChange extends Change {
  count: number;
  readonly eventIds: string[];
}

/** Decides the calls of a log again, one by one. */
export class Replay {
  readonly #engine: Decider;
  readonly #changes = new Map<string, OpenChange>();
  /** Of executions that later ones repeat, by event. */
  readonly #executions = new Map<string, Replayed>();
  #decisions = 0;
  #withoutPolicies = 0;
  #same = 0;
  #newlyDenied = 0;
  #newlyAllowed = 0;

  constructor(engine: Decider) {
    this.#engine = engine;
  }

  /**
   * Takes the next event of the log; what is no decision changes nothing. Returns what becomes of
   * it, where policies have a say.
   */
  add(event: ExecutionEvent): Replayed | undefined {
    if (event.kind !== "decision" && event.kind !== "exec") return undefined;
    this.#decisions++;
    const replayed = this.#replayed(event);
    if (replayed === undefined) this.#withoutPolicies++;
    else if (replayed.was.decision === replayed.now.decision) this.#same++;
    else this.#note(event, replayed);
    return replayed;
  }

  #replayed(event: DecidedEvent): Replayed | undefined {
    if (event.kind === "exec" && event.repeats !== undefined) {
      return this.#executions.get(event.repeats);
    }
    const replayed = replayEvent(event, this.#engine);
    if (event.kind === "exec" && replayed !== undefined) {
      this.#executions.set(event.event_id, replayed);
    }
    return replayed;
  }

  report(): ReplayReport {
    const changes = [...this.#changes.values()]
      .toSorted((a, b) => b.count - a.count || compare(a.actionClass, b.actionClass));
    return {
      decisions: this.#decisions,
      withoutPolicies: this.#withoutPolicies,
      same: this.#same,
      newlyDenied: this.#newlyDenied,
      newlyAllowed: this.#newlyAllowed,
      changes,
    };
  }

  #note(event: DecidedEvent, { was, now }: Replayed): void {
    const [before, after] = [holdsBack(was.decision), holdsBack(now.decision)];
    if (after && !before) this.#newlyDenied++;
    if (before && !after) this.#newlyAllowed++;
    const unpermitted = now.policyIds.length === 0;
    const { policyIds }: Judged = unpermitted ? was : now;
    const key = JSON.stringify([event.action_class, was.decision, now.decision, policyIds]);
    const known = this.#changes.get(key);
    if (known !== undefined) {
      known.count++;
      known.eventIds.push(event.event_id);
      return;
    }
    this.#changes.set(key, {
      actionClass: event.action_class,
      was: was.decision,
      now: now.decision,
      policyIds,
      unpermitted,
      count: 1,
      example: event,
      eventIds: [event.event_id],
    });
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
