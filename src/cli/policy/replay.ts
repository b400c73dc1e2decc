import { Command } from "commander";
import { escapeForTerminal } from "../../core/escape.ts";
import { type FirmaError, ok, type Result } from "../../core/result.ts";
import { cedarModule, initCedar } from "../../policy/cedar_module.ts";
import { PolicyEngine } from "../../policy/engine.ts";
import { packNames } from "../../config/packs.ts";
import { type ReadLog, readLog } from "../../replay/read_log.ts";
import { type Change, Replay, type ReplayReport } from "../../replay/replay_log.ts";
import { auditLogInForce } from "../audit_log.ts";
import { print, printError, printNotice } from "../output.ts";
import { useProjectClasses } from "../project_classes.ts";
import { bold, hasColours } from "../style.ts";
import { withGlobals } from "../with_globals.ts";
import { printPolicyFaults } from "./diagnostics.ts";
import { surroundings } from "./project.ts";
import { isDirectory, type PolicySources, posturePolicies, readPolicies } from "./sources.ts";
import { STATUS } from "./status.ts";
import { textTable } from "./table.ts";

interface Flags {
  readonly config?: string;
  readonly audit?: string;
  readonly bundle?: string;
  readonly json?: boolean;
}

const HELP = `
Every decision of the log carries what the policies saw, so that other policies can be asked about
it again; no call is made. What never reached policies (no mapping rule, no token) meets the same
end and is only counted. The log is read as it is: "firma audit verify" says whether it is whole.

Without --bundle the policies of the project decide, as they are now. Exit status: 0 nothing would
change, 1 something would, 2 the log or the policies cannot be read.

Examples:
  firma policy replay --bundle .firma/policies
  firma policy replay --audit audit.jsonl --bundle strict
  firma policy replay --json | jq '.changes[] | select(.now == "DENY")'
`;

async function policiesFor(flags: Flags): Promise<Result<PolicySources, readonly FirmaError[]>> {
  const { bundle } = flags;
  if (bundle === undefined) {
    const here = await surroundings(flags.config);
    return here.ok ? ok(here.value.policies) : here;
  }
  const classes = useProjectClasses(flags.config);
  if (!classes.ok) return classes;
  const isPosture = !isDirectory(bundle) && packNames("posture").includes(bundle);
  return isPosture ? posturePolicies(bundle) : await readPolicies(bundle);
}

async function replay(flags: Flags): Promise<number> {
  const refused = (errors: readonly FirmaError[]) => {
    errors.forEach(printError);
    return STATUS.badInput;
  };
  const file = flags.audit === undefined ? auditLogInForce(flags.config) : ok(flags.audit);
  if (!file.ok) return refused(file.error);
  const policies = await policiesFor(flags);
  if (!policies.ok) return refused(policies.error);
  initCedar(await cedarModule());
  const engine = PolicyEngine.create(policies.value.bundle);
  if (!engine.ok) {
    printPolicyFaults(engine.error, "error", policies.value);
    return STATUS.badInput;
  }
  const replay = new Replay(engine.value);
  const read = await readLog(file.value, (event) => replay.add(event));
  if (!read.ok) return refused([read.error]);
  const report = replay.report();
  if (flags.json) print(`${JSON.stringify(asJson(report, read.value, policies.value))}\n`);
  else print(asText(report, policies.value));
  if (read.value.unreadable > 0) {
    printNotice(
      "warn",
      `lines that are no events: ${read.value.unreadable}; "firma audit verify" says more`,
    );
  }
  return report.changes.length === 0 ? STATUS.ok : STATUS.failed;
}

function asText(report: ReplayReport, { label }: PolicySources): string {
  const { decisions, withoutPolicies, same, newlyDenied, newlyAllowed, changes } = report;
  const changed = decisions - withoutPolicies - same;
  const rows = changes.map(({ count, actionClass, was, now, example, ...change }) => [
    count,
    actionClass,
    was,
    now,
    cause(change),
    `${example.method} ${example.resource}`,
  ]);
  const table = rows.length === 0
    ? ""
    : `${textTable([["CALLS", "CLASS", "WAS", "NOW", "BY", "FIRST"], ...rows])}\n`;
  const head = `${decisions} decisions under ${escapeForTerminal(label)}: `;
  const sum = changed === 0
    ? "nothing would change"
    : `${changed} would change, ${newlyDenied} of them denied and ${newlyAllowed} allowed anew`;
  const rest = withoutPolicies === 0 ? "" : `; ${withoutPolicies} never reached policies`;
  return `${table}${bold(head + sum, hasColours(Deno.stdout))}${rest}\n`;
}

function cause({ policyIds, unpermitted }: Pick<Change, "policyIds" | "unpermitted">): string {
  if (!unpermitted) return policyIds.join(", ");
  return policyIds.length === 0 ? "nothing permits it" : `without ${policyIds.join(", ")}`;
}

function asJson(report: ReplayReport, { files, unreadable }: ReadLog, policies: PolicySources) {
  return {
    files,
    unreadable_lines: unreadable,
    bundle: policies.label,
    bundle_version: policies.bundle.version,
    decisions: report.decisions,
    without_policies: report.withoutPolicies,
    same: report.same,
    newly_denied: report.newlyDenied,
    newly_allowed: report.newlyAllowed,
    changes: report.changes.map((change) => ({
      action_class: change.actionClass,
      was: change.was,
      now: change.now,
      policy_ids: change.policyIds,
      unpermitted: change.unpermitted,
      count: change.count,
      method: change.example.method,
      resource: change.example.resource,
      event_ids: change.eventIds,
    })),
  };
}

/** `firma policy replay [--audit FILE] [--bundle DIR]` */
export function replayCommand(): Command {
  return new Command("replay")
    .description("Decide the calls of an audit log again, under other policies.")
    .option("-c, --config <path>", "configuration file (default: nearest .firma/firma.toml)")
    .option("--audit <file>", "the log, with what it was rotated to (default: the one in force)")
    .option("--bundle <path>", "directory or file of policies, or a posture by its name")
    .option("--json", "print as a JSON object")
    .addHelpText("after", HELP)
    .action(async (_flags: Flags, command: Command) => {
      Deno.exitCode = await replay(withGlobals<Flags>(command));
    });
}
