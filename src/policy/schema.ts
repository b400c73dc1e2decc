import { type ActionClassEntry, actionClasses } from "../core/action_class.ts";
import { CONTEXT_ATTRIBUTES } from "./context.ts";

/** The Cedar namespace of every entity, action and type. */
export const NAMESPACE = "Firma";

/**
 * The Cedar schema that policies are validated against, made from action classes
 * and the table of context attributes. The file `policies/firma.cedarschema` holds
 * exactly this text for the whole registry.
 */
export function schemaText(classes: readonly ActionClassEntry[] = actionClasses()): string {
  return `// Made from the action-class registry by scripts/gen_schema.ts. Do not edit.
namespace ${NAMESPACE} {
  @doc("An agent, by its identifier agt_…")
  entity Agent;

  @doc("What a call reaches. id is <host><path>")
  entity Resource {
    id: String,
    host?: String,
    path?: String,
    method?: String,
  };

  type EnforcementContext = {
${CONTEXT_ATTRIBUTES.map(contextLine).join("\n")}
  };

${classes.map(action).join("\n\n")}
}
`;
}

function contextLine(
  { name, type, required, meaning }: typeof CONTEXT_ATTRIBUTES[number],
): string {
  return `    // ${meaning}\n    ${name}${required ? "" : "?"}: ${cedarType(type)},`;
}

function cedarType(type: string): string {
  return type === "Boolean" ? "Bool" : type;
}

function action({ name, risk, meaning, parent }: ActionClassEntry): string {
  const group = parent === undefined ? "" : ` in ["${parent}"]`;
  return `  @doc("${meaning}")
  @risk("${risk}")
  action "${name}"${group} appliesTo {
    principal: [Agent],
    resource: [Resource],
    context: EnforcementContext,
  };`;
}
