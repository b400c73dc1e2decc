import type { Json, ValuePath } from "../store/value_path.ts";

/**
 * The document with what `replace` makes of each text and number that no path leads to: a member that
 * a program has only lately begun to print is a secret until somebody has said that it is none. Truth
 * values, `null` and the names of members stay.
 */
export function replaceOthers(
  document: Json,
  keep: readonly ValuePath[],
  replace: (value: string) => string,
): Json {
  return walk(document, keep.map(({ steps }) => steps), replace);
}

function walk(
  value: Json,
  paths: readonly (readonly string[])[],
  replace: (value: string) => string,
): Json {
  if (typeof value === "string" || typeof value === "number") {
    const isKept = paths.some((steps) => steps.length === 0 || isRest(steps));
    return isKept ? value : replace(String(value));
  }
  if (typeof value !== "object" || value === null) return value;
  const member = (name: string, each: Json) => walk(each, below(paths, name), replace);
  if (Array.isArray(value)) return value.map((each, at) => member(String(at), each));
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, member(name, each)]),
  );
}

function below(paths: readonly (readonly string[])[], name: string): (readonly string[])[] {
  return paths.flatMap((steps) => {
    const [step, ...rest] = steps;
    if (isRest(steps)) return [steps];
    return step === "*" || step === name ? [rest] : [];
  });
}

/** Everything below. */
function isRest(steps: readonly string[]): boolean {
  return steps[0] === "**";
}
