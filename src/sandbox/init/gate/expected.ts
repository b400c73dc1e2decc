import type { Execution } from "../../../core/local_exec.ts";
import { executionOf, type Found, type Identified } from "./describe.ts";
import { describeStarted, differenceOf } from "./started.ts";

/** What must be running after the kernel let a call go on. */
export type Expected =
  /** It is on record. */
  | { readonly kind: "decided"; readonly found: Found }
  /** By an answer that stands for exactly this, or for its program: it is not on record yet. */
  | { readonly kind: "again"; readonly found: Found }
  | { readonly kind: "standing"; readonly identified: Identified }
  /** Nobody is asked about it. */
  | { readonly kind: "free"; readonly identified: Identified };

/** What runs before its first instruction, or how that differs from what was expected. */
export function startedAs(pid: number, expected: Expected): Execution | string {
  if (!("found" in expected)) return describeStarted(pid, expected.identified);
  return differenceOf(pid, expected.found) ?? expected.found.execution;
}

/** What was to run. */
export function executionExpected(pid: number, expected: Expected): Execution {
  return "found" in expected ? expected.found.execution : executionOf(pid, expected.identified);
}
