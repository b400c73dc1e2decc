import type { SchemaJson } from "@cedar-policy/cedar-wasm/web";
import { type ActionClassEntry, actionClasses } from "../core/action_class.ts";
import { CONTEXT_ATTRIBUTES, type ContextType } from "./context.ts";
import { NAMESPACE } from "./schema.ts";

function named(name: string) {
  return { type: "EntityOrCommon", name };
}

function attribute(type: ContextType, required: boolean) {
  const base = type === "Set<String>"
    ? { type: "Set", element: named("String") }
    : named(type === "Boolean" ? "Bool" : type);
  return required ? base : { ...base, required: false };
}

function action({ risk, meaning, parent }: ActionClassEntry) {
  return {
    appliesTo: {
      resourceTypes: ["Resource"],
      principalTypes: ["Agent"],
      context: { type: "EnforcementContext" },
    },
    ...(parent === undefined ? {} : { memberOf: [{ id: parent }] }),
    annotations: { doc: meaning, risk },
  };
}

/**
 * What Cedar makes of `schemaText()`, in its JSON form. Cedar takes 0.2 s to parse the text and
 * does so for each validation; a test holds the two equal.
 */
export function schemaJson(): SchemaJson<string> {
  const attributes = CONTEXT_ATTRIBUTES.map(({ name, type, required }) =>
    [name, attribute(type, required)] as const
  );
  const json = {
    [NAMESPACE]: {
      commonTypes: {
        EnforcementContext: { type: "Record", attributes: Object.fromEntries(attributes) },
      },
      entityTypes: {
        Agent: { annotations: { doc: "An agent, by its identifier agt_…" } },
        Resource: {
          shape: {
            type: "Record",
            attributes: {
              id: attribute("String", true),
              host: attribute("String", false),
              path: attribute("String", false),
              method: attribute("String", false),
            },
          },
          annotations: { doc: "What a call reaches. id is <host><path>" },
        },
      },
      actions: Object.fromEntries(actionClasses().map((entry) => [entry.name, action(entry)])),
    },
  };
  return json as SchemaJson<string>;
}
