import { type ActionClass, actionClasses, parseActionClass } from "../core/action_class.ts";
import { raised } from "./decoders/strictness.ts";
import { quote } from "./malformed.ts";
import { didYouMean, type RuleReader } from "./rule_reader.ts";

/** What an operator says of tools of an MCP server, by name. */
export interface ToolTable {
  readonly exact: ReadonlyMap<string, ActionClass>;
  /** Patterns with `*` for any characters; those with the most other characters first. */
  readonly patterns: readonly { readonly pattern: RegExp; readonly actionClass: ActionClass }[];
}

const NAME = /^[\x21-\x7e]{1,128}$/;

/**
 * Reads the key `tools` of a rule: `{ "delete_*" = "document.delete" }`. A class must not
 * be more harmless than that of the rule, which everything else that the rule matches has.
 */
export function readTools(
  reader: RuleReader,
  decoder: string | undefined,
  base: ActionClass | undefined,
): ToolTable | undefined {
  const entries = reader.entries("tools");
  if (entries === undefined) return undefined;
  if (decoder !== "mcp") return reader.fail("tools", 'only the decoder "mcp" reads tool calls');
  const exact = new Map<string, ActionClass>();
  const patterns: { pattern: RegExp; actionClass: ActionClass; literal: number; text: string }[] =
    [];
  for (const [text, name] of entries) {
    const actionClass = parseActionClass(String(name));
    if (!NAME.test(text)) {
      reader.fail("tools", `${quote(text)} is no name of a tool and no pattern of one`);
    } else if (actionClass === undefined) {
      const known = actionClasses().map((entry) => entry.name);
      const state = `${quote(String(name))} is not in the registry`;
      reader.fail("tools", state, didYouMean(String(name), known));
    } else if (base !== undefined && raised(base, actionClass) !== actionClass) {
      reader.fail(
        "tools",
        `${quote(name as string)} is more harmless than the rule's "${base}"`,
        "give the rule the class of its most harmless call, and name the tools that do more",
      );
    } else if (text.includes("*")) {
      const parts = text.split(/\*+/).map((part) => RegExp.escape(part));
      const literal = text.replaceAll("*", "").length;
      patterns.push({
        pattern: new RegExp(`^${parts.join(".*")}$`, "s"),
        actionClass,
        literal,
        text,
      });
    } else {
      exact.set(text, actionClass);
    }
  }
  // Of patterns that are as close the order must not depend on the file.
  patterns.sort((a, b) => b.literal - a.literal || (a.text < b.text ? -1 : 1));
  return { exact, patterns };
}

/** The class of a tool: what its name says, else the closest pattern; none for other tools. */
export function toolClass(table: ToolTable, tool: string): ActionClass | undefined {
  return table.exact.get(tool) ??
    table.patterns.find(({ pattern }) => pattern.test(tool))?.actionClass;
}
