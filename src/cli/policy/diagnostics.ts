import type { FirmaError } from "../../core/result.ts";
import { diagnosticLines, type Severity } from "../../policy/diagnostic.ts";
import { printToStderr } from "../output.ts";
import { hasColours, red, yellow } from "../style.ts";
import type { PolicySources } from "./sources.ts";

/** The error with the path of its file instead of the name that the bundle gives it. */
export function placed(error: FirmaError, { paths }: Pick<PolicySources, "paths">): FirmaError {
  if (error.at === undefined) return error;
  return { ...error, at: { ...error.at, file: paths.get(error.at.file) ?? error.at.file } };
}

/** Prints what is wrong with policies, each fault under its line. */
export function printPolicyFaults(
  faults: readonly FirmaError[],
  severity: Severity,
  from: PolicySources,
): void {
  for (const fault of faults) {
    const text = from.bundle.policies.find(({ file }) => file === fault.at?.file)?.text;
    printDiagnostic(placed(fault, from), severity, text);
  }
}

/** Prints a fault under its line of `source`; `change` is given the text before it is printed. */
export function printDiagnostic(
  error: FirmaError,
  severity: Severity,
  source: string | undefined,
  change: (text: string) => string = (text) => text,
): void {
  const [first, ...rest] = diagnosticLines(error, severity, source);
  const paint = severity === "error" ? red : yellow;
  const lines = [paint(first!, hasColours(Deno.stderr)), ...rest];
  printToStderr(change(lines.map((line) => `${line}\n`).join("")));
}
