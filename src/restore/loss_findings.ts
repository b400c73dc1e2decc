import { escapeForTerminal } from "../core/escape.ts";
import type { SandboxFinding } from "../core/event.ts";
import type { LossReport } from "./messages.ts";

/** Longer paths are cut: an agent chooses them. */
const LONGEST_PATH = 1_000;

/** What was told last. */
export interface Told {
  readonly deleted: number;
  readonly changed: number;
}

/** What there is to put on record of a report, given what was told before. */
export function lossFindings(report: LossReport, told: Told, isFinal = false): SandboxFinding[] {
  const deletion = finding("deletion", {
    total: report.deleted,
    before: told.deleted,
    paths: report.newlyDeleted,
    isFinal,
  });
  const overwrite = finding("overwrite", {
    total: report.changed,
    before: told.changed,
    paths: report.newlyChanged,
    isFinal,
  });
  return [deletion, overwrite].filter((one) => one !== undefined);
}

interface Loss {
  readonly total: number;
  readonly before: number;
  readonly paths: readonly string[];
  readonly isFinal: boolean;
}

function finding(
  kind: "deletion" | "overwrite",
  { total, before, paths, isFinal }: Loss,
): SandboxFinding | undefined {
  // At the end the number is told once more, if there ever was one: it is the one that counts.
  if (total === before && !(isFinal && total > 0)) return undefined;
  const state = kind === "deletion" ? "gone" : "overwritten";
  const when = isFinal ? " at the end of the run" : "";
  return {
    finding: kind,
    detail: `${files(total)} of the workspace ${total === 1 ? "is" : "are"} ${state}${when}`,
    count: Math.max(0, total - before),
    action_class: kind === "deletion" ? "filesystem.delete" : "filesystem.write",
    total,
    paths: paths.map(shownPath),
    ...(isFinal && { final: true }),
  };
}

/** A number of files in words. */
export function files(count: number): string {
  return `${count.toLocaleString("en")} file${count === 1 ? "" : "s"}`;
}

/** A path as people and records have it: cut, and escaped. */
export function shownPath(path: string): string {
  const text = path.length > LONGEST_PATH ? `${path.slice(0, LONGEST_PATH)}…` : path;
  return escapeForTerminal(text);
}
