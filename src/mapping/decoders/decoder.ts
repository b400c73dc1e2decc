import type { ActionClass } from "../../core/action_class.ts";
import type { ContextValue, HttpCall } from "../../core/envelope.ts";
import type { DenialForm } from "../../core/problem.ts";
import { err, type FirmaError, type Result } from "../../core/result.ts";
import type { MatchedRule } from "../rule.ts";

/** Header fields: names in lower case, in order, repetitions kept. */
export type Headers = readonly (readonly [string, string])[];

/** One thing that a call does. */
export interface Operation {
  readonly actionClass: ActionClass;
  readonly attributes: Readonly<Record<string, ContextValue>>;
  /**
   * Attributes that this has and that cannot be read here, such as the repository behind a
   * number: where a policy looks at one of them, the call is denied.
   */
  readonly hidden?: readonly string[];
}

/** What a decoder finds in a call. */
export interface Decoded {
  /** Everything that the call does; never empty. Each must be permitted by itself. */
  readonly operations: readonly [Operation, ...Operation[]];
  readonly denialForm?: DenialForm;
}

/**
 * Why a call cannot be decoded: `MALFORMED_REQUEST`, or `UNCLASSIFIED_INTENT` for an
 * operation that is well written and that no table knows.
 */
export interface DecodeFault extends FirmaError {
  readonly code: "MALFORMED_REQUEST" | "UNCLASSIFIED_INTENT";
  readonly denialForm?: DenialForm;
}

/** A request within a body: a part of a batch. */
export interface InnerRequest {
  readonly method: string;
  /** In origin form. */
  readonly target: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** What a decoder is given. */
export interface DecoderInput {
  readonly call: HttpCall;
  readonly headers: Headers;
  /** The body, its content encoding undone, or the beginning of it. */
  readonly body: Uint8Array;
  /** Whether `body` is all of it. */
  readonly whole: boolean;
  /** What the mapping says; a decoder makes it finer or stricter. */
  readonly rule: MatchedRule;
  /** Decides what a request within the body does, by the same rules as one of its own. */
  readonly inner: (request: InnerRequest) => Result<Decoded, DecodeFault>;
}

/** Reads what a call does where method, host and path do not say. */
export interface Decoder {
  /**
   * How much of the body it needs: `start` can work with the beginning of a body that
   * is too large to be read whole.
   */
  readonly reads: "nothing" | "start" | "whole";
  /** Whether it takes bodies with `Content-Encoding: gzip`; others are refused. */
  readonly gzip?: boolean;
  /** Pure. Must not throw on any input; what it cannot read is a fault. */
  readonly decode: (input: DecoderInput) => Result<Decoded, DecodeFault>;
}

type Fault = { readonly ok: false; readonly error: DecodeFault };

/** The failure to read a body. `state` must not hold what the agent sent unquoted. */
export function unreadable(what: string, state: string): Fault {
  return err({ code: "MALFORMED_REQUEST", message: `Cannot read ${what}: ${state}` });
}

/** The failure to find an operation in the tables. */
export function unclassified(what: string, state: string): Fault {
  return err({ code: "UNCLASSIFIED_INTENT", message: `Cannot classify ${what}: ${state}` });
}
