import { Command } from "commander";
import { packNames, readPack } from "../../config/packs.ts";
import { escapeLinesForTerminal } from "../../core/escape.ts";
import { nearest } from "../../core/nearest.ts";
import { unwrap } from "../../core/result.ts";
import { aboutOf, type MappedOperation, summariseMapping } from "../../mapping/catalogue.ts";
import { type PolicySummary, summarisePolicies } from "../../policy/catalogue.ts";
import { cedarModule, initCedar } from "../../policy/cedar_module.ts";
import { examples } from "../examples.ts";
import { print, printError } from "../output.ts";
import { printPolicyFaults } from "./diagnostics.ts";
import { posturePolicies } from "./sources.ts";
import { STATUS } from "./status.ts";
import { textTable } from "./table.ts";

interface Flags {
  readonly json?: boolean;
  readonly operations?: boolean;
  readonly source?: boolean;
}

function printAbout(about: string): void {
  print(`${escapeLinesForTerminal(about)}\n\n`);
}

async function showPosture(name: string, text: string, flags: Flags): Promise<number> {
  initCedar(await cedarModule());
  const sources = posturePolicies(name);
  if (!sources.ok) {
    sources.error.forEach(printError);
    return STATUS.badInput;
  }
  const policies = summarisePolicies(sources.value.bundle);
  if (!policies.ok) {
    printPolicyFaults(policies.error, "error", sources.value);
    return STATUS.failed;
  }
  const about = aboutOf(text, "//");
  if (flags.json) {
    print(`${JSON.stringify({ name, kind: "posture", about, policies: policies.value })}\n`);
    return STATUS.ok;
  }
  printAbout(about);
  const rows = policies.value.map((policy) => [policy.id, effect(policy), classes(policy)]);
  print(textTable([["POLICY", "EFFECT", "CLASSES"], ...rows]));
  return STATUS.ok;
}

function effect({ effect, remediation, conditional }: PolicySummary): string {
  const words = remediation ? `${effect} (${remediation.kind.replace("_", " ")})` : effect;
  return conditional ? `${words} when` : words;
}

function classes({ actionClasses }: PolicySummary): string {
  return actionClasses.length === 0 ? "every class" : actionClasses.join(", ");
}

function showMapping(name: string, text: string, flags: Flags): number {
  const summary = summariseMapping({ file: `${name}.toml`, text });
  if (!summary.ok) {
    summary.error.forEach(printError);
    return STATUS.failed;
  }
  const { about, hosts, operations } = summary.value;
  const counts = new Map<string, number>();
  for (const { actionClass } of operations) {
    counts.set(actionClass, (counts.get(actionClass) ?? 0) + 1);
  }
  const sorted = [...counts].sort(([a], [b]) => a < b ? -1 : 1);
  if (flags.json) {
    const perClass = Object.fromEntries(sorted);
    const all = operations.map(jsonOperation);
    print(
      `${
        JSON.stringify({ name, kind: "mapping", about, hosts, classes: perClass, operations: all })
      }\n`,
    );
    return STATUS.ok;
  }
  printAbout(about);
  print(`Hosts: ${hosts.join(", ")}\n\n`);
  print(textTable([["CLASS", "OPERATIONS"], ...sorted, ["total", operations.length]]));
  if (!flags.operations) return STATUS.ok;
  const rows = operations.map((operation) => [
    operation.finer ?? operation.actionClass,
    operation.method,
    `${operation.hosts.join("|")}${operation.path}${operation.query ? `?${operation.query}` : ""}`,
  ]);
  print(`\n${textTable([["CLASS", "METHOD", "OPERATION"], ...rows])}`);
  return STATUS.ok;
}

function jsonOperation({ actionClass, finer, ...rest }: MappedOperation): unknown {
  return { ...rest, action_class: actionClass, finer_class: finer ?? actionClass };
}

async function show(name: string, flags: Flags): Promise<number> {
  for (const kind of ["posture", "mapping"] as const) {
    if (!packNames(kind).includes(name)) continue;
    const text = unwrap(readPack(kind, name));
    if (flags.source) {
      print(text);
      return STATUS.ok;
    }
    return kind === "posture"
      ? await showPosture(name, text, flags)
      : showMapping(name, text, flags);
  }
  const meant = nearest(name, [...packNames("posture"), ...packNames("mapping")]);
  printError({
    code: "UNKNOWN_PACK",
    message: `Cannot show "${name}": there is no posture and no mapping of that name`,
    cure: meant ? `did you mean "${meant}"?` : "firma policy list names them",
  });
  return STATUS.badInput;
}

/** `firma policy show NAME` */
export function showCommand(): Command {
  return new Command("show")
    .description("Show what a posture permits or what a mapping covers.")
    .argument("<name>", "a posture or a mapping, such as dev or github")
    .option("--operations", "list every operation of a mapping")
    .option("--source", "print the file itself, to start one of your own from")
    .option("--json", "print as a JSON object")
    .addHelpText("after", examples("firma policy show strict", "firma policy show github"))
    .action(async (name: string, flags: Flags) => {
      Deno.exitCode = await show(name, flags);
    });
}
