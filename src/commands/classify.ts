import { type ActionClass, actionClassEntry, parseActionClass } from "../core/action_class.ts";
import type { Execution } from "../core/local_exec.ts";
import type { CommandTable, MatchedCommand } from "./table.ts";
import { viewsOf } from "./views.ts";

/** A program that no rule names, and a command whose rule says no more. */
export const SYSTEM_EXECUTE = "system.execute" as ActionClass;

const RISKS = ["low", "medium", "high", "critical"] as const;

/**
 * What an execution does, the riskiest first: one entry for each class that a name of it leads to.
 * None where no rule names it.
 */
export function classifyExecution(table: CommandTable, execution: Execution): MatchedCommand[] {
  const found = new Map<string, MatchedCommand>();
  for (const match of viewsOf(execution).flatMap((view) => table.matches(view))) {
    const { actionClass, deletes } = match.rule;
    const key = `${actionClass} ${deletes === undefined ? "" : JSON.stringify(match.paths)}`;
    if (!found.has(key)) found.set(key, match);
  }
  const all = [...found.values()].sort((a, b) => risk(b) - risk(a));
  // That a program runs is said by every other class as well.
  const telling = all.filter(({ rule }) => rule.actionClass !== SYSTEM_EXECUTE);
  return telling.length > 0 ? telling : all;
}

function risk({ rule }: MatchedCommand): number {
  const entry = actionClassEntry(parseActionClass(rule.actionClass) ?? "");
  return entry === undefined ? RISKS.length : RISKS.indexOf(entry.risk);
}
