import type { Checked } from "../reader.ts";

/** A name, in lower case and without a dot at its end. */
export const HOST_NAME =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/;

/** Checks a host, or a pattern such as `*.example.com`; gives it in lower case. */
export function checkHostPattern(value: string): Checked<string> {
  const plain = value.toLowerCase().replace(/\.$/, "");
  const name = plain.startsWith("*.") ? plain.slice(2) : plain;
  // A pattern such as *.com would exempt half of the world from every policy.
  if (HOST_NAME.test(name) && (name === plain || name.includes("."))) return { value: plain };
  return { state: `"${value}" is neither a host nor a pattern such as "*.example.com"` };
}

/** Whether some host is named by both of two patterns, in lower case. */
export function patternsMeet(one: string, other: string): boolean {
  const covers = (wide: string, narrow: string) =>
    wide === narrow || (wide.startsWith("*.") && narrow.endsWith(wide.slice(1)));
  return covers(one, other) || covers(other, one);
}
