import type { ActionClass } from "../core/action_class.ts";
import type { ArgumentPattern } from "./pattern.ts";

/** A rule of `[[commands]]`. */
export interface CommandRule {
  /** `<file>: <executable> <argv>` */
  readonly ref: string;
  readonly pattern: ArgumentPattern;
  readonly actionClass: ActionClass;
  /** The only options that may be there; absent: any. */
  readonly only: ReadonlySet<string> | undefined;
  /** The files that the command makes go away, where its arguments name them. */
  readonly deletes: Deletes | undefined;
}

/** How arguments name what goes away. */
export interface Deletes {
  /** All operands, the last one, or those behind `<name>=`. */
  readonly what: "operands" | "last" | { readonly prefix: string };
  /** Below directories too. */
  readonly recursive: boolean;
  /** The class where nothing goes away. */
  readonly otherwise: ActionClass | undefined;
}

/** The paths that go away, of the operands after those that the pattern names. */
export function deletedPaths({ what }: Deletes, operands: readonly string[]): readonly string[] {
  if (what === "operands") return operands;
  if (what === "last") return operands.length > 1 ? operands.slice(-1) : [];
  const start = `${what.prefix}=`;
  return operands.filter((text) => text.startsWith(start)).map((text) => text.slice(start.length));
}
