import { err, ok, type Result } from "../../core/result.ts";

/** A value of JSON. */
export type Json =
  | string
  | number
  | boolean
  | null
  | Json[]
  | { [name: string]: Json };

/** Where values stand in a document of JSON. */
export interface ValuePath {
  readonly text: string;
  /** Names of members; `*` is each member or element, `**` everything below. */
  readonly steps: readonly string[];
}

/** Reads `data.data.**` or `fields.*.value`; the error says what is wrong with it. */
export function parseValuePath(text: string): Result<ValuePath, string> {
  const steps = text.split(".");
  if (text === "") return err("it is empty");
  if (steps.includes("")) return err(`a name between two dots of "${text}" is empty`);
  if (steps.slice(0, -1).includes("**")) return err(`"**" stands before the end of "${text}"`);
  return ok({ text, steps });
}

/** A document with other values in it. */
export interface Rewritten {
  readonly document: Json;
  /** Whether the place that a path names is there, if only without a value. */
  readonly reached: boolean;
}

/**
 * The document with what `replace` makes of each text and number that a path leads to. Truth values
 * and `null` stay.
 */
export function rewriteValues(
  document: Json,
  { steps }: ValuePath,
  replace: (value: string) => string,
): Rewritten {
  let reached = false;
  const leaf = (value: Json): Json =>
    typeof value === "string" || typeof value === "number" ? replace(String(value)) : value;
  const all = (value: Json): Json => isContainer(value) ? mapped(value, all) : leaf(value);
  const walk = (value: Json, at: number): Json => {
    const step = steps[at];
    if (step === undefined) {
      reached = true;
      // A value that has members is a value with all of them.
      return all(value);
    }
    if (step === "*" || step === "**") {
      if (!isContainer(value)) {
        // `**` covers what stands there itself, and nothing is none.
        reached ||= value === null || step === "**";
        return step === "**" ? leaf(value) : value;
      }
      reached ||= at === steps.length - 1 || Object.keys(value).length === 0;
      return mapped(value, (member) => step === "**" ? all(member) : walk(member, at + 1));
    }
    if (!isContainer(value) || Array.isArray(value) || !Object.hasOwn(value, step)) return value;
    return mapped(value, (member, name) => name === step ? walk(member, at + 1) : member);
  };
  return { document: walk(document, 0), reached };
}

function isContainer(value: Json): value is Json[] | { [name: string]: Json } {
  return typeof value === "object" && value !== null;
}

function mapped(
  value: Json[] | { [name: string]: Json },
  map: (member: Json, name: string) => Json,
): Json {
  if (Array.isArray(value)) return value.map((member, at) => map(member, String(at)));
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, map(member, name)]),
  );
}
