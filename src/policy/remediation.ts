import { err, type FirmaError, ok, type Result } from "../core/result.ts";

/** What a `forbid` asks for instead of a flat refusal. */
export type Remediation =
  | { readonly kind: "step_up"; readonly challenge: string }
  | { readonly kind: "defer"; readonly milliseconds: number }
  | { readonly kind: "modify"; readonly dropHeader: string };

const ANNOTATIONS = ["step_up", "defer", "modify"] as const;
// RFC 9110, 5.6.2: a field name is a token.
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const MODIFY = "redact_header:";

/**
 * Reads `@step_up("…")`, `@defer("<milliseconds>")` and
 * `@modify("redact_header:<name>")` from the annotations of a policy. At most one
 * of them, on a `forbid` alone. Other annotations are the author's own.
 */
export function parseRemediation(
  policyId: string,
  effect: "permit" | "forbid",
  annotations: Readonly<Record<string, string | null>>,
): Result<Remediation | undefined> {
  const present = ANNOTATIONS.filter((name) => Object.hasOwn(annotations, name));
  const [name] = present;
  if (name === undefined) return ok(undefined);
  if (present.length > 1) {
    return refuse(policyId, present.map((name) => `@${name}`).join(" and "), "only one may stand");
  }
  if (effect === "permit") return refuse(policyId, `@${name}`, "it belongs on a forbid");
  const value = annotations[name]?.trim() ?? "";
  if (value === "") return refuse(policyId, `@${name}`, "value is empty");
  switch (name) {
    case "step_up":
      return ok({ kind: "step_up", challenge: value });
    case "defer": {
      const milliseconds = /^[0-9]{1,9}$/.test(value) ? Number(value) : 0;
      if (milliseconds > 0) return ok({ kind: "defer", milliseconds });
      return refuse(policyId, `@defer("${value}")`, "it takes whole milliseconds above zero");
    }
    case "modify": {
      const header = value.startsWith(MODIFY) ? value.slice(MODIFY.length) : undefined;
      if (header === undefined) {
        return refuse(
          policyId,
          `@modify("${value}")`,
          `it takes "${MODIFY}<name>" and nothing else`,
        );
      }
      if (FIELD_NAME.test(header)) return ok({ kind: "modify", dropHeader: header.toLowerCase() });
      return refuse(policyId, `@modify("${value}")`, `"${header}" is not a header name`);
    }
  }
}

function refuse(policyId: string, what: string, state: string): Result<never, FirmaError> {
  return err({
    code: "POLICY_ANNOTATION",
    message: `Cannot use ${what} on policy "${policyId}": ${state}`,
  });
}
