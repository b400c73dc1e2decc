import type { ApprovalRow } from "../../daemon/approvals.ts";

/** A component that serves many agents. */
export interface StandingComponent {
  readonly component: "sidecar" | "authority";
  /** `dead`: its marker is there and its process is not. */
  readonly state: "starting" | "running" | "draining" | "dead";
  readonly pid: number;
  readonly sinceMs: number;
  readonly restarts: number;
}

/** A session that runs. */
export interface RunningSession {
  readonly sessionId: string;
  readonly sandboxId: string;
  readonly agentId: string;
  readonly profile: string;
  readonly command: string;
  readonly workspace: string;
  readonly startedMs: number;
  readonly actions: number;
  readonly denies: number;
}

/** What runs now. */
export interface Standing {
  readonly components: readonly StandingComponent[];
  /** Sidecars of single runs. */
  readonly ownSidecars: number;
  readonly sessions: readonly RunningSession[];
  /** In force in a Sidecar; `""` where none runs. */
  readonly bundleVersion: string;
  /** What the Sidecars say of their audit log; `""` where none runs. */
  readonly audit: string;
  /** Whether the Authority has vouched for every bundle in force lately. */
  readonly isFresh: boolean;
  /** What waits for a person, the oldest first; not more than anybody looks through. */
  readonly waiting?: readonly ApprovalRow[];
  /** What stood in the way of finding out; `""` when nothing did. */
  readonly problem: string;
}

/** Before anything was asked, and where nothing runs. */
export const NOTHING_RUNS: Standing = {
  components: [],
  ownSidecars: 0,
  sessions: [],
  bundleVersion: "",
  audit: "",
  isFresh: true,
  waiting: [],
  problem: "",
};
