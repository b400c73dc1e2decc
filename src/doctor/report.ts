import { escapeForTerminal } from "../core/escape.ts";
import { type NamedFinding, type Status, STATUSES, worst } from "./finding.ts";

/** The exit status that stands for the gravest finding. */
export function exitCode(findings: readonly NamedFinding[]): number {
  return STATUSES.indexOf(worst(findings.map(({ status }) => status)));
}

/** The findings as a value for JSON. */
export function jsonReport(findings: readonly NamedFinding[]) {
  return {
    checks: findings.map(({ category, status, reason, detail, cure }) => ({
      category,
      status,
      reason,
      ...(detail !== undefined && { detail }),
      ...(cure !== undefined && { cure }),
    })),
    worst: worst(findings.map(({ status }) => status)),
    exit_code: exitCode(findings),
  };
}

/** The findings as lines for people, escaped; `emphasise` may colour what names a status. */
export function reportLines(
  findings: readonly NamedFinding[],
  emphasise: (text: string, status: Status) => string = (text) => text,
): string[] {
  const width = Math.max(0, ...findings.map(({ category }) => category.length));
  const indent = " ".repeat(6 + width);
  const lines = findings.flatMap(({ category, status, reason, detail, cure }) => [
    `${emphasise(status.padEnd(4), status)}  ${category.padEnd(width)}  ${
      escapeForTerminal(reason)
    }`,
    ...(detail?.split("\n") ?? []).map((line) => `${indent}  ${escapeForTerminal(line)}`),
    ...(cure === undefined ? [] : [`${indent}  cure: ${escapeForTerminal(cure)}`]),
  ]);
  const count = (wanted: Status) => findings.filter(({ status }) => status === wanted).length;
  const warnings = count("warn");
  return [
    ...lines,
    "",
    `${count("ok")} ok, ${warnings} ${warnings === 1 ? "warning" : "warnings"}, ${
      count("fail")
    } failed`,
  ];
}
