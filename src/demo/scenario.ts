import type { Decision } from "../core/decision.ts";

/** What an agent does next, because its model says so. */
export interface Turn {
  /** For whoever watches: what happens, and why. */
  readonly explain: string;
  /** What the model says. */
  readonly says: string;
  /** What it has the agent run; absent at the end. */
  readonly command?: string;
  /** What must become of the call or the program that this turn is about. */
  readonly expected?: Decision;
  /** What the agent must have read before; a model cannot be tricked by what it never saw. */
  readonly after?: string;
}

/** A service that is not there: what it answers. */
export type StandIn = (request: Request, body: string) => Response;

/** One of the demos: an agent with a task, and what goes wrong. */
export interface Scenario {
  readonly name: string;
  /** In half a line, for the list. */
  readonly summary: string;
  /** Why this matters, in a sentence or two. */
  readonly story: string;
  readonly task: string;
  /** A pack; without it the demo's own policies are all there are. */
  readonly posture?: string;
  /** Its own policies: a file in `src/demo/files`. */
  readonly policies?: string;
  /** Packs. */
  readonly mappings: readonly string[];
  /** What lies in the workspace, by path. */
  readonly files: Readonly<Record<string, string>>;
  /** Services by host, beside the model. */
  readonly services: Readonly<Record<string, StandIn>>;
  readonly turns: readonly Turn[];
  /** What the operator does at the end, as words behind `firma`; then all files are there again. */
  readonly finale?: { readonly explain: string; readonly command: readonly string[] };
  /** What must never have reached a service. */
  readonly secret?: string;
  /** What stood between, in a sentence for the end. */
  readonly lesson: string;
}
