import { Command } from "commander";
import { escapeForTerminal } from "../../core/escape.ts";
import { type FirmaError, ok } from "../../core/result.ts";
import { DECODERS } from "../../mapping/decoders/decoders.ts";
import { type MappingFile, parseRuleFile } from "../../mapping/rule_file.ts";
import { MappingTable } from "../../mapping/table.ts";
import { cedarModule, initCedar } from "../../policy/cedar_module.ts";
import { PolicyEngine } from "../../policy/engine.ts";
import { schemaText } from "../../policy/schema.ts";
import { versionOf } from "../../authority/policy_files.ts";
import { readLog } from "../../replay/read_log.ts";
import { Replay, type ReplayReport } from "../../replay/replay_log.ts";
import { Observations } from "../../replay/suggest/observed.ts";
import {
  DEFAULT_MOST,
  type Rules,
  type SuggestedPolicy,
  suggestPolicies,
} from "../../replay/suggest/suggest.ts";
import { auditLogInForce } from "../audit_log.ts";
import { print, printError, printToStderr } from "../output.ts";
import { withGlobals } from "../with_globals.ts";
import { surroundings } from "./project.ts";
import { STATUS } from "./status.ts";
import { textTable } from "./table.ts";

interface Flags {
  readonly config?: string;
  readonly audit?: string;
  readonly includeDenied?: boolean;
  readonly most: string;
  readonly json?: boolean;
}

const HELP = `
The policies go to standard output, one for each agent, action class and host, and what is said of
them to standard error. They permit the calls that went out, by policy, by a person or in monitor
mode; --include-denied takes those that policies denied as well. Parts of a path that the mapping
leaves open are left open once they had more than --most values.

Before anything is printed the policies are checked, and all calls of the log are decided again
under them alone. What they permit beyond is counted: calls of the log that were denied, and
operations of the mapping that nobody called. Nothing is installed. Exit status: 0 there are
suggestions, 1 there is nothing to permit, 2 the log or the mapping cannot be read.

Examples:
  firma policy suggest > .firma/policies/observed.cedar
  firma policy suggest --audit audit.jsonl --include-denied --most 1
  firma policy suggest --json | jq '.policies[] | {id, opens}'
`;

/** What is printed, once it is proved. */
interface Proved {
  readonly policies: readonly SuggestedPolicy[];
  readonly observed: number;
  readonly text: string;
  /** Under the suggested policies alone. */
  readonly report: ReplayReport;
}

async function suggest(flags: Flags): Promise<number> {
  const refused = (errors: readonly FirmaError[]) => {
    errors.forEach(printError);
    return STATUS.badInput;
  };
  const most = Number(flags.most);
  if (!/^\d{1,4}$/.test(flags.most)) {
    return refused([{
      code: "MOST",
      message: `Cannot use --most "${flags.most}": it is no number`,
    }]);
  }
  const file = flags.audit === undefined ? auditLogInForce(flags.config) : ok(flags.audit);
  if (!file.ok) return refused(file.error);
  const here = await surroundings(flags.config);
  if (!here.ok) return refused(here.error);
  const rules = readRules(here.value.options.mapping);
  if (!rules.ok) return refused(rules.error);
  const observations = new Observations(flags.includeDenied ?? false);
  const read = await readLog(file.value, (event) => observations.add(event));
  if (!read.ok) return refused([read.error]);
  const policies = suggestPolicies(observations.groups, rules.value, most);
  if (policies.length === 0) {
    printToStderr("firma: the log holds no call to permit\n");
    return STATUS.failed;
  }
  const text = policies.map((policy) => policy.text).join("\n");
  initCedar(await cedarModule());
  const files = [{ file: "suggested.cedar", text }];
  const bundle = { revision: 1, policies: files, schema: schemaText(), ttlSeconds: 30 };
  const engine = PolicyEngine.create({ ...bundle, version: versionOf(files) });
  if (!engine.ok) return refused(engine.error);
  const replay = new Replay(engine.value);
  let unproved: string | undefined;
  const again = await readLog(file.value, (event) => {
    const decided = replay.add(event);
    if (observations.wants(event) && decided?.now.decision !== "ALLOW") unproved ??= event.event_id;
  });
  if (!again.ok) return refused([again.error]);
  if (unproved !== undefined) {
    return refused([{
      code: "SUGGESTION_UNPROVED",
      message: `Cannot suggest policies: they would not permit the event "${unproved}"`,
      cure: "leave the event out of the log that is read, and write its policy by hand",
    }]);
  }
  const proved = { policies, observed: observations.events, text, report: replay.report() };
  if (flags.json) print(`${JSON.stringify(asJson(proved))}\n`);
  else {
    print(text);
    printToStderr(summary(proved));
  }
  return STATUS.ok;
}

function readRules(files: readonly MappingFile[]) {
  const table = MappingTable.parse(files);
  if (!table.ok) return table;
  const known = new Set(DECODERS.keys());
  const all = files.flatMap((file) => parseRuleFile(file, known, false).rules);
  return ok<Rules>({ match: (call) => table.value.match(call), all });
}

function summary({ policies, observed, report }: Proved): string {
  const rows = policies.map(({ id, observed: { calls }, shapes, opens }) => [
    calls,
    shapes.length === 0 ? "any" : shapes.length,
    opens.length,
    id,
  ]);
  const opened = new Set(policies.flatMap(({ opens }) => opens)).size;
  return `\n${textTable([["CALLS", "PATHS", "OPENS", "POLICY"], ...rows])}
${observed} calls are permitted, each tried. Beyond them the policies permit ${report.newlyAllowed}
calls of this log that were denied, and could permit calls of ${opened} operations that nobody made
(--json names them).
`;
}

function asJson({ policies, observed, text, report }: Proved) {
  return {
    observed,
    newly_allowed: report.newlyAllowed,
    text,
    policies: policies.map(({ id, text, observed, opens }) => ({
      id,
      agent_id: observed.agentId,
      action_class: observed.actionClass,
      host: observed.host,
      calls: observed.calls,
      paths: [...observed.paths.keys()].map((path) => escapeForTerminal(path)),
      opens,
      text,
    })),
  };
}

/** `firma policy suggest [--audit FILE]` */
export function suggestCommand(): Command {
  return new Command("suggest")
    .description("Write the least policies that permit the calls of an audit log.")
    .option("-c, --config <path>", "configuration file (default: nearest .firma/firma.toml)")
    .option("--audit <file>", "the log, with what it was rotated to (default: the one in force)")
    .option("--include-denied", "permit what policies denied, too")
    .option(
      "--most <count>",
      "values of a part of a path before it is left open",
      `${DEFAULT_MOST}`,
    )
    .option("--json", "print as a JSON object")
    .addHelpText("after", HELP)
    .action(async (_flags: Flags, command: Command) => {
      Deno.exitCode = await suggest(withGlobals<Flags>(command));
    });
}
