import { Command } from "commander";
import { packNames, readPack } from "../../config/packs.ts";
import { actionClasses } from "../../core/action_class.ts";
import { unwrap } from "../../core/result.ts";
import { aboutOf, summariseMapping } from "../../mapping/catalogue.ts";
import { splitStatements } from "../../policy/statement.ts";
import { examples } from "../examples.ts";
import { print, printError } from "../output.ts";
import { useProjectClasses } from "../project_classes.ts";
import { bold, hasColours } from "../style.ts";
import { withGlobals } from "../with_globals.ts";
import { STATUS } from "./status.ts";
import { textTable } from "./table.ts";

interface Flags {
  readonly config?: string;
  readonly json?: boolean;
  readonly classes?: boolean;
}

/** The first sentence of a comment, on one line. */
function firstSentence(about: string): string {
  const [paragraph = ""] = about.split("\n\n");
  const text = paragraph.replaceAll(/\s+/g, " ");
  return /^.*?(?=\.(?: |$))/.exec(text)?.[0] ?? text;
}

function postures() {
  return packNames("posture").map((name) => {
    const text = unwrap(readPack("posture", name));
    const about = firstSentence(aboutOf(text, "//")).replace(`Posture "${name}": `, "");
    return { name, policies: splitStatements(text).length, about };
  });
}

function mappings() {
  return packNames("mapping").map((name) => {
    const text = unwrap(readPack("mapping", name));
    const summary = summariseMapping({ file: `${name}.toml`, text });
    if (!summary.ok) {
      summary.error.forEach(printError);
      Deno.exitCode = STATUS.failed;
      return { name, operations: 0, classes: [], hosts: [], about: "" };
    }
    const { operations, hosts, about } = summary.value;
    const classes = [...new Set(operations.map(({ actionClass }) => actionClass))].sort();
    return { name, operations: operations.length, classes, hosts, about: firstSentence(about) };
  });
}

function listClasses({ json, config }: Flags): void {
  const own = useProjectClasses(config);
  if (!own.ok) {
    own.error.forEach(printError);
    Deno.exitCode = STATUS.badInput;
    return;
  }
  if (json) return print(`${JSON.stringify({ classes: actionClasses() })}\n`);
  const rows = actionClasses().map(({ name, risk, parent, meaning }) => [
    name,
    risk,
    parent ?? "-",
    meaning,
  ]);
  print(textTable([["CLASS", "RISK", "PARENT", "MEANING"], ...rows]));
}

function list(flags: Flags): void {
  if (flags.classes) return listClasses(flags);
  if (flags.json) {
    return print(`${JSON.stringify({ postures: postures(), mappings: mappings() })}\n`);
  }
  printCatalogue();
  print("\nfirma policy show NAME tells more of one; a posture goes with any mappings.\n");
}

/** Prints the postures and mappings that ship with firma. */
export function printCatalogue(): void {
  const colours = hasColours(Deno.stdout);
  print(`${bold("Postures: what is permitted by default", colours)}\n`);
  print(textTable([
    ["NAME", "POLICIES", "ABOUT"],
    ...postures().map(({ name, policies, about }) => [name, policies, about]),
  ]));
  print(`\n${bold("Mappings: which call is which action", colours)}\n`);
  print(textTable([
    ["NAME", "OPERATIONS", "HOSTS", "CLASSES", "ABOUT"],
    ...mappings().map(({ name, operations, hosts, classes, about }) => [
      name,
      operations,
      hosts.length,
      classes.length,
      about,
    ]),
  ]));
}

/** `firma policy list` */
export function listCommand(): Command {
  return new Command("list")
    .description("List the postures and mappings that ship with firma.")
    .option("--classes", "list the action classes that policies can name instead")
    .option("-c, --config <path>", "configuration whose action classes are listed, too")
    .option("--json", "print as a JSON object")
    .addHelpText("after", examples("firma policy list", "firma policy list --classes --json"))
    .action((_flags: Flags, command: Command) => {
      Deno.exitCode = STATUS.ok;
      list(withGlobals<Flags>(command));
    });
}
