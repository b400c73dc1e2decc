import { escapeForTerminal } from "../core/escape.ts";
import type { PolicyLine, Report, ShownDecision } from "./report.ts";
import type { Scenario, Turn } from "./scenario.ts";

/** How parts of the text are set off. */
export interface Emphasis {
  readonly heading: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
}

const WIDTH = 88;

/** Breaks text into lines of at most {@linkcode WIDTH} characters behind `indent`. */
export function wrap(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/).filter((word) => word !== "")) {
    if (line !== "" && indent.length + line.length + 1 + word.length > WIDTH) {
      lines.push(indent + line);
      line = "";
    }
    line += line === "" ? word : ` ${word}`;
  }
  return line === "" ? lines : [...lines, indent + line];
}

/** A label in the margin, and what belongs to it behind; its lines stay as they are. */
function labelled(label: string, lines: readonly string[]): string[] {
  return lines.map((line, index) => `  ${(index === 0 ? label : "").padEnd(8)} ${line}`);
}

/** What a demo is about, before it plays. */
export function prologue(scenario: Scenario, { heading }: Emphasis): string[] {
  return [
    heading(`${scenario.name}: ${scenario.summary}`),
    "",
    ...wrap(scenario.story, "  "),
    "",
    ...labelled("task", [escapeForTerminal(scenario.task)]),
  ];
}

/** What the agent is about to do. */
export function turnLines(turn: Turn, number: number, { heading }: Emphasis): string[] {
  return [
    "",
    ...wrap(turn.explain, "   ").map((line, index) =>
      index === 0 ? ` ${heading(String(number))} ${line.trimStart()}` : line
    ),
    ...labelled("model", [escapeForTerminal(turn.says)]),
    ...turn.command === undefined
      ? []
      : labelled("agent", [`$ ${escapeForTerminal(turn.command)}`]),
  ];
}

/** What was decided, and for a refusal the policy that did it. */
export function decisionLines(decision: ShownDecision, { good, bad }: Emphasis): string[] {
  const isRefused = decision.reason !== "";
  const verdict = (isRefused ? bad : good)(decision.decision);
  return labelled("firma", [
    `${verdict}  ${decision.action_class}  ${escapeForTerminal(decision.what)}`,
    ...isRefused ? [escapeForTerminal(decision.why)] : [],
    ...isRefused ? decision.policies.flatMap(policyLines) : [],
  ]);
}

function policyLines({ file, line, text }: PolicyLine): string[] {
  return [`policies/${file}:${line}`, ...text.trim().split("\n").map((part) => `  ${part}`)];
}

/** How it ended, and what of that anybody can check. */
export function epilogue(scenario: Scenario, report: Report, emphasis: Emphasis): string[] {
  const { heading, good, bad } = emphasis;
  const refused = report.steps.flatMap(({ decisions }) => decisions)
    .filter(({ reason }) => reason !== "");
  const reached = report.reached.length === 0 ? ["nothing"] : report.reached;
  const log = report.log.whole ? good("whole") : bad("broken");
  const finale = report.finale === undefined ? [] : [
    "",
    ...wrap(report.finale.explain, "   "),
    ...labelled("you", [`$ ${report.finale.command}`]),
    ...labelled("", report.finale.printed.map(escapeForTerminal)),
  ];
  return [
    ...finale,
    "",
    heading("What came of it"),
    "",
    ...labelled("refused", refused.map(summary)),
    ...labelled("reached", reached.map(escapeForTerminal)),
    ...labelled("log", [`${log}, ${report.log.lines} lines (firma audit verify)`]),
    ...labelled("", [`the model was asked ${report.model_calls} times, which was decided, too`]),
    "",
    ...wrap(scenario.lesson, "  "),
    ...report.problems.flatMap((problem) => wrap(bad(escapeForTerminal(problem)), "  ")),
    "",
  ];
}

function summary({ what, policies, reason }: ShownDecision): string {
  const by = policies.map(({ id, file, line }) => `${id} (${file}:${line})`).join(", ");
  return `${escapeForTerminal(what)}: ${by === "" ? reason : by}`;
}
