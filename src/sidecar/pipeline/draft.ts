import type { CapabilityClaims } from "../../core/capability.ts";
import type { DenyReason } from "../../core/decision.ts";
import type { FoundText } from "../credentials/request_find.ts";
import type {
  CallCredential,
  CallOperation,
  ContextValue,
  ExecutionEnvelope,
  HttpCall,
} from "../../core/envelope.ts";
import type { DenialForm } from "../../core/problem.ts";
import type { SessionState } from "../../core/session_state.ts";
import type { Remedy } from "../../policy/outcome.ts";
import type { Placeholder } from "../../secrets/placeholder.ts";
import type { MatchedRule } from "../../mapping/rule.ts";
import type { CallInput } from "../gate.ts";

/** The session that a call belongs to, as it stands at this moment. */
export interface SessionView {
  readonly sessionId: string;
  readonly sandboxId: string;
  readonly agentId: string;
  /** Milliseconds since the epoch. */
  readonly startedMs: number;
  /** Verified tokens; more than one while an old one runs out. */
  readonly claims: readonly CapabilityClaims[];
  readonly state: SessionState;
  readonly ended: boolean;
  /** Policies deny in name alone. @default {false} */
  readonly observed?: boolean;
  /** What its agent holds in place of secrets. @default {[]} */
  readonly placeholders?: readonly Placeholder[];
}

/**
 * One call on its way to a decision. Each stage reads what earlier stages
 * found, through {@linkcode found}, and adds what it found itself.
 */
export interface Draft {
  readonly input: CallInput;
  readonly session: SessionView;
  /** Milliseconds since the epoch: the moment of the decision. */
  readonly nowMs: number;
  readonly transport: "http" | "https" | "connect";
  /** By `canonicalise`. */
  call?: HttpCall;
  /** By `classify`; absent for a call that no rule names and that may pass all the same. */
  rule?: MatchedRule;
  /** By `classify`: no rule names this host and the operator lets such calls pass. */
  passthrough?: boolean;
  /** By `decode`. */
  attributes?: Readonly<Record<string, ContextValue>>;
  /** By `decode`: attributes that the call has and that cannot be read. */
  hidden?: readonly string[];
  /** By `decode`: everything that the call does, where that is more than one thing. */
  operations?: readonly CallOperation[];
  /** By `decode`: how the protocol inside the call says that it was denied. */
  denialForm?: DenialForm;
  /** By `findPlaceholders`; whether all of the body was looked through. Absent: none can be there. */
  placeholders?: { readonly found: readonly FoundText[]; readonly isBodyKnown: boolean };
  /** By `credential`. */
  credential?: CallCredential;
  /** By `credential`: the credentials whose placeholders are to be swapped. */
  swaps?: readonly string[];
  /** By `capability`. */
  claims?: CapabilityClaims;
  /** By `policy`. */
  envelope?: ExecutionEnvelope;
  /** By `policy`: which policies determined the decision. */
  policyIds?: readonly string[];
  /** The approval that the call goes out by. */
  approvalId?: string;
  /** By `policy`: what would lift the denial, or what the call goes without. */
  remedy?: Remedy;
}

/** Why a call goes no further. */
export interface Denial {
  readonly reason: DenyReason;
  /** For the operator; the agent never sees it. */
  readonly detail: string;
  /** When another try is worth it, in milliseconds. */
  readonly retryAfterMs?: number;
  /** What a person was asked, or would have to be. */
  readonly approval?: {
    /** `apr_…` */
    readonly id: string;
    readonly state: "pending" | "denied";
    /** Until when it can be approved, in milliseconds since the epoch. */
    readonly untilMs?: number;
  };
}

/** One step of a decision: says why the call stops, or nothing. */
export type Stage = (draft: Draft) => Denial | undefined | Promise<Denial | undefined>;

/**
 * What an earlier stage must have left.
 *
 * @throws {Error} When it is absent: stages composed in the wrong order deny everything
 */
export function found<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`Cannot decide the call: no stage set "${name}"`);
  return value;
}
