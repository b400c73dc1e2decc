import type { PathShape } from "./generalise.ts";
import type { ObservedCalls } from "./observed.ts";

/** A `permit` in Cedar for what was observed; without shapes it does not look at the path. */
export function policyText(
  id: string,
  { agentId, actionClass, host }: ObservedCalls,
  shapes: readonly PathShape[],
): string {
  const conditions = [
    host === ""
      ? 'context.raw_transport == "exec"'
      : `resource has host && resource.host == ${string(host)}`,
  ];
  const paths = shapes.map(condition).toSorted();
  if (paths.length === 1) conditions.push(`resource has path && ${paths[0]}`);
  if (paths.length > 1) {
    conditions.push(`resource has path && (\n    ${paths.join(" ||\n    ")}\n  )`);
  }
  return `@id(${string(id)})
permit (
  principal == Firma::Agent::${string(agentId)},
  action == Firma::Action::${string(actionClass)},
  resource
)
when {
  ${conditions.join(" &&\n  ")}
};
`;
}

function condition(shape: PathShape): string {
  if (!shape.includes(undefined)) return `resource.path == ${string(`/${shape.join("/")}`)}`;
  const parts = shape.map((part) => part === undefined ? "*" : pattern(part));
  return `resource.path like "/${parts.join("/")}"`;
}

/** A string literal of Cedar; what is not plain ASCII is written as its number. */
function string(text: string): string {
  return `"${escape(text)}"`;
}

/** Text within a pattern, where a star stands for any text. */
function pattern(text: string): string {
  return escape(text).replaceAll("*", "\\*");
}

function escape(text: string): string {
  return text.replaceAll(
    /[^ !#-[\]-~]/gu,
    (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`,
  );
}
