import type { ContextValue } from "../../core/envelope.ts";
import { LONGEST_ATTRIBUTE } from "./text.ts";

// git-check-ref-format(1): what no server takes, so that what a policy compares is what is meant.
const BAD =
  // deno-lint-ignore no-control-regex -- controls are what this looks for
  /[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|\/\.|\.lock(?:\/|$)|[/.]$/;

/** The attributes of a ref that is named by a number or an identifier. */
export const HIDDEN_REF: readonly string[] = ["git_ref", "git_ref_type"];

/** Tells whether this is the full name of a ref, such as `refs/heads/main`. */
export function isRefName(name: string): boolean {
  return /^refs\/[^.]/.test(name) && name.length <= LONGEST_ATTRIBUTE && !BAD.test(name);
}

/** What policies are told about a ref. */
export function refAttributes(ref: string): Readonly<Record<string, ContextValue>> {
  const type = ref.startsWith("refs/heads/")
    ? "branch"
    : ref.startsWith("refs/tags/")
    ? "tag"
    : "ref";
  return { git_ref: ref, git_ref_type: type };
}
