import { classOrFiner } from "./class_table.ts";

/** What a change of such a file is besides a change of code. */
export const PIPELINE_CLASS = classOrFiner("repo.admin", "ci.config");

const PIPELINE_FILE =
  /^\/?(?:\.github\/(?:workflows|actions)(?:\/|$)|(?:\.github\/|docs\/)?CODEOWNERS$|\.gitmodules$)/i;

/**
 * Tells whether a file of a repository decides what the code host runs or who must
 * agree to a change: whoever writes it has more than the right to write code.
 */
export function isPipelineFile(path: string): boolean {
  return PIPELINE_FILE.test(path);
}
