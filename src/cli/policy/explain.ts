import { Command } from "commander";
import { escapeForTerminal } from "../../core/escape.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import { formatAuthority } from "../../mapping/authority.ts";
import { parseRequestLine } from "../../mapping/request_line.ts";
import { cedarModule, initCedar } from "../../policy/cedar_module.ts";
import { Explainer, type Explanation } from "../../sidecar/explain.ts";
import { print, printError } from "../output.ts";
import { bold, hasColours, red } from "../style.ts";
import { withGlobals } from "../with_globals.ts";
import { cureFor } from "./cure.ts";
import { printPolicyFaults } from "./diagnostics.ts";
import { type Surroundings, surroundings } from "./project.ts";
import { STATUS } from "./status.ts";

interface Flags {
  readonly config?: string;
  readonly body?: string;
  readonly header?: string[];
  readonly json?: boolean;
}

function collect(value: string, previous: string[] | undefined): string[] {
  return [...previous ?? [], value];
}

function readHeaders(lines: readonly string[]): Result<[string, string][]> {
  const headers: [string, string][] = [];
  for (const line of lines) {
    const [, name, value] = /^([^\s:]+):\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === undefined) {
      return err({
        code: "HEADER",
        message: `Cannot read the header "${line}": it is not "Name: value"`,
      });
    }
    headers.push([name.toLowerCase(), value!]);
  }
  return ok(headers);
}

async function readBody(path: string | undefined): Promise<Result<Uint8Array>> {
  if (path === undefined) return ok(new Uint8Array());
  try {
    if (path === "-") return ok(await new Response(Deno.stdin.readable).bytes());
    return ok(await Deno.readFile(path));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return err({ code: "BODY", message: `Cannot read the body from "${path}": ${reason}` });
  }
}

/** The canonical class of an explanation, and the finest name that there is for the call. */
function classNames({ lineage, rule }: Explanation): { canonical: string; finer: string } {
  return { canonical: lineage.at(-1) ?? "", finer: rule?.finer ?? lineage[0] ?? "" };
}

function json(explanation: Explanation, cure: string): unknown {
  const { call, rule } = explanation;
  const { canonical, finer } = classNames(explanation);
  return {
    decision: explanation.decision,
    reason: explanation.reason,
    detail: explanation.detail,
    action_class: canonical,
    finer_class: finer,
    lineage: explanation.lineage,
    method: call?.method ?? "",
    host: call ? formatAuthority(call.host, call.port, call.scheme) : "",
    path: call?.path ?? "",
    rule: rule?.ref ?? "",
    attributes: explanation.attributes,
    hidden: explanation.hidden,
    credential: explanation.credential?.carries ?? "none",
    credential_brokered: explanation.credential?.brokered ?? false,
    token_scope: explanation.tokenScope,
    policy_ids: explanation.policyIds,
    policies: explanation.policies,
    cure,
  };
}

/** Where a policy stands, as it is shortest to read. */
function placeIn(policies: Surroundings["policies"]) {
  return (file: string, line: number) => `${policies.paths.get(file) ?? file}:${line}`;
}

function lines(
  explanation: Explanation,
  policies: Surroundings["policies"],
  cure: string,
): string[] {
  const { call, rule, lineage, decision, reason, detail } = explanation;
  const rows: [string, string][] = [];
  if (call !== undefined) {
    rows.push(["host", formatAuthority(call.host, call.port, call.scheme)]);
    rows.push(["path", `${call.path}${call.query}`]);
  }
  if (rule !== undefined) {
    const query = rule.query === undefined ? "" : `?${rule.query}`;
    rows.push(["rule", `${rule.ref}  (${rule.method} ${rule.host}${rule.path}${query})`]);
    if (rule.decoder !== undefined) rows.push(["decoder", rule.decoder]);
  } else if (call !== undefined) {
    rows.push(["rule", "none"]);
  }
  if (lineage.length > 0) {
    const finer = rule?.finer === undefined ? [] : [`${rule.finer} (a name only)`];
    rows.push(["class", [...finer, ...lineage].join(" < ")]);
  }
  for (const [name, value] of Object.entries(explanation.attributes)) {
    rows.push(["found", `${name} = ${JSON.stringify(value)}`]);
  }
  if (explanation.hidden.length > 0) rows.push(["hidden", explanation.hidden.join(", ")]);
  const { credential } = explanation;
  if (credential !== undefined && (credential.brokered || credential.carries !== "none")) {
    const configured = credential.brokered ? "one is configured for this host" : "none configured";
    rows.push(["carries", `credential of: ${credential.carries} (${configured})`]);
  }
  if (explanation.tokenScope.length > 0) {
    rows.push(["token", `scope ${explanation.tokenScope.join(", ")}`]);
  }
  for (const { id, effect, determining, file, line } of explanation.policies) {
    rows.push([
      effect,
      `${id}  ${placeIn(policies)(file, line)}${determining ? "" : "  (outweighed)"}`,
    ]);
  }
  const why = [reason, detail].filter((part) => part !== "").join(": ");
  rows.push(["decision", `${decision}${why && ` (${why})`}`]);
  if (explanation.policyIds.length > 0) {
    rows.push(["by", explanation.policyIds.join(", ")]);
  }
  if (cure !== "") rows.push(["cure", cure]);
  return rows.map(([name, value]) => `${name.padEnd(9)} ${escapeForTerminal(value)}`);
}

function printExplanation(
  explanation: Explanation,
  policies: Surroundings["policies"],
  cure: string,
): void {
  const colours = hasColours(Deno.stdout);
  const text = lines(explanation, policies, cure).map((line) => {
    if (!line.startsWith("decision ")) return line;
    return explanation.decision === "DENY" ? red(line, colours) : bold(line, colours);
  });
  print(`${text.join("\n")}\n`);
}

async function explain(words: readonly string[], flags: Flags): Promise<number> {
  const request = parseRequestLine(words.join(" "));
  const headers = readHeaders(flags.header ?? []);
  const body = await readBody(flags.body);
  const refused = (errors: readonly FirmaError[]) => {
    errors.forEach(printError);
    return STATUS.badInput;
  };
  if (!request.ok) return refused([request.error]);
  if (!headers.ok) return refused([headers.error]);
  if (!body.ok) return refused([body.error]);
  const here = await surroundings(flags.config);
  if (!here.ok) return refused(here.error);
  initCedar(await cedarModule());
  const { policies, options, agentId } = here.value;
  const explainer = Explainer.create(options);
  if (!explainer.ok) {
    printPolicyFaults(explainer.error, "error", policies);
    return STATUS.badInput;
  }
  const explanation = await explainer.value.explain({
    request: request.value,
    headers: headers.value,
    body: body.value,
    ...(agentId !== undefined && { agentId }),
  });
  const cure = cureFor(explanation, options.mapping, placeIn(policies));
  if (flags.json) print(`${JSON.stringify(json(explanation, cure))}\n`);
  else printExplanation(explanation, policies, cure);
  return STATUS.ok;
}

const HELP = `
Nothing is sent. In a project its configuration decides; elsewhere posture dev and every mapping
that ships with firma. The session is new: policies that look at its history see none. Exit
status: 0 whatever the decision is, 2 when the call or the configuration cannot be read.

Examples:
  firma policy explain 'DELETE https://api.github.com/repos/o/r/git/refs/heads/main'
  firma policy explain 'POST https://api.stripe.com/v1/refunds' --body form.txt \\
    --header 'Content-Type: application/x-www-form-urlencoded' --json
`;

/** `firma policy explain 'METHOD URL'` */
export function explainCommand(): Command {
  return new Command("explain")
    .description("Show how a call would be classified and decided, and by whom.")
    .argument("<call...>", "'METHOD URL'; the method may be left out for GET")
    .option("-c, --config <path>", "configuration file (default: nearest .firma/firma.toml)")
    .option("--body <file>", 'file with the body of the request, "-" for standard input')
    .option("--header <header>", "'Name: value' of the request; repeat for several", collect)
    .option("--json", "print as a JSON object")
    .addHelpText("after", HELP)
    .action(async (words: string[], _flags: Flags, command: Command) => {
      Deno.exitCode = await explain(words, withGlobals<Flags>(command));
    });
}
