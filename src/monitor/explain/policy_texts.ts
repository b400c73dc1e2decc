import type { PolicyBundle } from "../../core/policy_bundle.ts";
import { positionAt } from "../../policy/position.ts";
import { splitStatements } from "../../policy/statement.ts";

/** The policies of a project as they stand in its files. */
export interface PolicyTexts {
  /** Of the bundle that the files make, as audit events name it. */
  readonly version: string;
  readonly files: PolicyBundle["policies"];
  /** The directory that they are in, as it is shortest to read. */
  readonly directory: string;
}

/** Where a policy stands. */
export interface PolicyPlace {
  readonly id: string;
  readonly effect: "permit" | "forbid";
  readonly file: string;
  /** Counts from 1. */
  readonly line: number;
  readonly text: string;
}

const ANNOTATION = /^\s*@\s*([A-Za-z_][A-Za-z0-9_]*)\s*(?:\(\s*"((?:[^"\\]|\\.)*)"\s*\))?/;

/**
 * Finds the policies that are called `ids`: by their `@id`, else as
 * `<file>#<n>`. Reads the text only, for a monitor has no use for Cedar's
 * engine; an id that is written with escapes is not found.
 */
export function findPolicies(
  { files }: PolicyTexts,
  ids: readonly string[],
): PolicyPlace[] {
  const places: PolicyPlace[] = [];
  for (const { file, text } of files) {
    splitStatements(text).forEach((statement, index) => {
      const { annotations, rest } = readHead(statement.text);
      const id = annotations.get("id") ?? `${file}#${index + 1}`;
      if (!ids.includes(id)) return;
      const effect = rest.startsWith("permit") ? "permit" : "forbid";
      const { line } = positionAt(text, statement.start);
      places.push({ id, effect, file, line, text: statement.text });
    });
  }
  return places.sort((a, b) => ids.indexOf(a.id) - ids.indexOf(b.id));
}

/** The annotations of a policy, and what follows them. */
export function readHead(
  statement: string,
): { readonly annotations: ReadonlyMap<string, string>; readonly rest: string } {
  const annotations = new Map<string, string>();
  let rest = statement;
  for (let found = ANNOTATION.exec(rest); found; found = ANNOTATION.exec(rest)) {
    annotations.set(found[1]!, found[2] ?? "");
    rest = rest.slice(found[0].length);
  }
  return { annotations, rest: rest.trimStart() };
}
