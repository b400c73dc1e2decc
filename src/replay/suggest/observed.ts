import {
  type CallOperation,
  type ExecutionEnvelope,
  operationEnvelopes,
} from "../../core/envelope.ts";
import { type ExecutionEvent, isLetOut } from "../../core/event.ts";
import type { DecidedEvent } from "../replay_event.ts";

/** Calls of one agent, one class and one host, by their paths; or executions, by their programs. */
export interface ObservedCalls {
  readonly agentId: string;
  readonly actionClass: CallOperation["action_class"];
  /** `""` for executions, which have none. */
  readonly host: string;
  /** How many calls there were. */
  readonly calls: number;
  /** Each path once, with a call that had it. */
  readonly paths: ReadonlyMap<string, ExecutionEnvelope>;
  /** Numbers stood for names in some path, so that no policy may look at one. */
  readonly pathHidden: boolean;
}

interface OpenCalls extends ObservedCalls {
  calls: number;
  readonly paths: Map<string, ExecutionEnvelope>;
  pathHidden: boolean;
}

/** Gathers from a log the calls that a policy is to permit. */
export class Observations {
  readonly #groups = new Map<string, OpenCalls>();
  readonly #includeDenied: boolean;
  #events = 0;

  /** @param includeDenied also calls that policies denied, which somebody wants to permit from now on */
  constructor(includeDenied: boolean) {
    this.#includeDenied = includeDenied;
  }

  /** How many calls were taken. */
  get events(): number {
    return this.#events;
  }

  /** Calls sorted by agent, class and host. */
  get groups(): readonly ObservedCalls[] {
    return [...this.#groups].toSorted(([a], [b]) => a < b ? -1 : 1).map(([, group]) => group);
  }

  /** Whether the calls of an event are to be permitted. */
  wants(event: ExecutionEvent): event is DecidedEvent & { envelope: ExecutionEnvelope } {
    if (event.kind !== "decision" && event.kind !== "exec") return false;
    if (event.envelope === undefined) return false;
    if (event.decision === "PASSTHROUGH") return false;
    const denied = event.deny_reason === "PolicyDenied" || event.deny_reason === "StepUpRequired";
    return isLetOut(event) || (this.#includeDenied && denied);
  }

  /** Takes the next event of the log. */
  add(event: ExecutionEvent): void {
    if (!this.wants(event)) return;
    this.#events++;
    for (const part of operationEnvelopes(event.envelope)) this.#take(part);
  }

  #take(envelope: ExecutionEnvelope): void {
    const { action_class: actionClass, resource, hidden = [] } = envelope.intent;
    const agentId = envelope.capability.agent_id;
    const key = JSON.stringify([agentId, actionClass, resource.host]);
    const group = this.#groups.get(key) ??
      { agentId, actionClass, host: resource.host, calls: 0, paths: new Map(), pathHidden: false };
    group.calls++;
    group.pathHidden ||= hidden.includes("resource.path");
    if (!group.paths.has(resource.path)) group.paths.set(resource.path, envelope);
    this.#groups.set(key, group);
  }
}
