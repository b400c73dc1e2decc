import type {
  DetailedError,
  PolicyJson,
  SchemaJson,
  ValidationAnswer,
  ValidationError,
} from "@cedar-policy/cedar-wasm/web";
import { policyToJson, schemaToJson, validate } from "@cedar-policy/cedar-wasm/web";
import { actionClasses } from "../core/action_class.ts";
import type { PolicyBundle } from "../core/policy_bundle.ts";
import type { FirmaError } from "../core/result.ts";
import { nearest } from "../core/nearest.ts";
import { callCedar } from "./call_cedar.ts";
import { parsedPolicies } from "./checked.ts";
import { CONTEXT_ATTRIBUTES } from "./context.ts";
import { type Position, positionAt, utf16Offset } from "./position.ts";
import { policyReads, type Reads } from "./reads.ts";
import { parseRemediation, type Remediation } from "./remediation.ts";
import { schemaText } from "./schema.ts";
import { representativeSchema } from "./representative.ts";
import { schemaJson } from "./schema_json.ts";
import { splitStatements, type Statement } from "./statement.ts";

/** A policy that Cedar has parsed and found valid under the schema. */
export interface CompiledPolicy {
  /** The `@id` annotation, else `<file>#<n>`, counted from 1. */
  readonly id: string;
  readonly file: string;
  readonly statement: Statement;
  readonly json: PolicyJson;
  readonly reads: Reads;
  readonly remediation: Remediation | undefined;
}

/** What became of a bundle. The policies are all there only when there are no errors. */
export interface Compilation {
  readonly schema: SchemaJson<string>;
  readonly policies: readonly CompiledPolicy[];
  readonly errors: readonly FirmaError[];
  /** Valid policies that say something else than their author meant, most likely. */
  readonly warnings: readonly FirmaError[];
}

// Cedar evaluates recursively on a WebAssembly stack of one megabyte and traps when it is
// exhausted. With these limits the worst policy takes a third of it.
const LIMITS = { depth: 64, conditionals: 64, operators: 2000, nesting: 100 };

/** How Cedar names a policy in what it says of it; the id is a number here, which helps nobody. */
const CEDAR_POLICY = /^for policy `[^`]*`, /;

type SchemaAnswer =
  | { readonly type: "success"; readonly json: SchemaJson<string> }
  | { readonly type: "failure"; readonly errors: DetailedError[] };

interface Draft extends Omit<CompiledPolicy, "remediation"> {
  readonly source: string;
}

/**
 * Parses and validates every policy of a bundle, and reports every fault of
 * every policy with file, line and column. Of a bundle that was checked already
 * nothing is left to Cedar.
 */
export function compileBundle(bundle: PolicyBundle): Compilation {
  const errors: FirmaError[] = [];
  const schema: SchemaAnswer = bundle.schema === schemaText()
    ? { type: "success", json: schemaJson() }
    : callCedar(() => schemaToJson(bundle.schema));
  if (schema.type === "failure") {
    errors.push(...schema.errors.map((error) => schemaFault(bundle.schema, error)));
    return { schema: {}, policies: [], errors, warnings: [] };
  }
  const drafts: Draft[] = [];
  const sources = bundle.policies.flatMap(({ file, text }) =>
    splitStatements(text).map((statement, index) => ({ file, text, statement, number: index + 1 }))
  );
  const parsed = parsedPolicies(bundle);
  const isKnown = parsed?.length === sources.length;
  for (const [index, source] of sources.entries()) {
    const draft = parseStatement(source, isKnown ? parsed[index] : undefined, errors);
    if (draft) drafts.push(draft);
  }
  if (drafts.length === 0 && errors.length === 0) errors.push(emptyBundle(bundle));
  checkUniqueIds(drafts, errors);
  const policies = drafts.map(({ source: _source, ...draft }, index): CompiledPolicy => {
    const annotations = draft.json.annotations ?? {};
    const remediation = parseRemediation(draft.id, draft.json.effect, annotations);
    if (remediation.ok) return { ...draft, remediation: remediation.value };
    errors.push({ ...remediation.error, at: place(drafts[index]!, 0) });
    return { ...draft, remediation: undefined };
  });
  const warnings = isKnown ? [] : validateDrafts(schema.json, drafts, errors);
  if (errors.length === 0) errors.push(...drafts.flatMap(unknownReads));
  return { schema: schema.json, policies, errors: inReadingOrder(errors), warnings };
}

interface Source {
  readonly file: string;
  /** Of the whole file. */
  readonly text: string;
  readonly statement: Statement;
  /** Of the statement in its file, from 1. */
  readonly number: number;
}

function parseStatement(
  { file, text: source, statement, number }: Source,
  known: PolicyJson | undefined,
  errors: FirmaError[],
): Draft | undefined {
  const at = { file, ...positionAt(source, statement.start) };
  const name = `${file}#${number}`;
  const { depth, conditionals, operators } = statement;
  if (
    depth > LIMITS.depth || conditionals > LIMITS.conditionals || operators > LIMITS.operators
  ) {
    errors.push(tooComplex(name, at));
    return undefined;
  }
  const answer = known
    ? { type: "success", json: known } as const
    : callCedar(() => policyToJson(statement.text));
  if (answer.type === "failure") {
    for (const error of answer.errors) {
      errors.push(fault("POLICY_SYNTAX", name, error, errorPlace(file, source, statement, error)));
    }
    return undefined;
  }
  const { reads, depth: nesting } = policyReads(answer.json);
  if (nesting > LIMITS.nesting) {
    errors.push(tooComplex(name, at));
    return undefined;
  }
  // An annotation without a value (`@id`) is null in the JSON form.
  const id = answer.json.annotations?.id;
  if (id === "" || id === null) {
    const message = `Cannot use @id on policy "${name}": value is empty`;
    errors.push({ code: "POLICY_ID", message, at });
  }
  return { id: id || name, file, source, statement, json: answer.json, reads };
}

/** A test for an attribute that does not exist is valid to Cedar, and a mistake all the same. */
function unknownReads(draft: Draft): FirmaError[] {
  const known = CONTEXT_ATTRIBUTES.map(({ name }) => name);
  return [...draft.reads.context].filter((name) => !known.includes(name)).map((name) => {
    const meant = nearest(name, known);
    const offset = Math.max(
      0,
      draft.statement.text.search(new RegExp(`\\b${RegExp.escape(name)}\\b`)),
    );
    return {
      code: "POLICY_UNKNOWN_INPUT",
      message:
        `Cannot load policy "${draft.id}": it reads "context.${name}", which nothing supplies`,
      cure: meant ? `did you mean "${meant}"?` : "use an attribute of policies/firma.cedarschema",
      at: { ...place(draft, offset), length: name.length },
    };
  });
}

function checkUniqueIds(drafts: readonly Draft[], errors: FirmaError[]): void {
  const seen = new Map<string, Draft>();
  for (const draft of drafts) {
    const first = seen.get(draft.id);
    if (first === undefined) {
      seen.set(draft.id, draft);
      continue;
    }
    const { file, line } = place(first, 0);
    errors.push({
      code: "POLICY_ID",
      message: `Cannot load policy "${draft.id}": the id is taken by ${file}:${line}`,
      cure: "give each policy an @id of its own",
      at: place(draft, 0),
    });
  }
}

/** Returns the warnings; adds what is wrong to `errors`. */
function validateDrafts(
  schema: SchemaJson<string>,
  drafts: readonly Draft[],
  errors: FirmaError[],
) {
  // Ids may still be repeated, so that the index stands in for them.
  const staticPolicies = Object.fromEntries(drafts.map(({ statement }, i) => [i, statement.text]));
  const under = (schema: SchemaJson<string>): ValidationAnswer =>
    callCedar(() => validate({ schema, policies: { staticPolicies } }));
  const quick = under(representativeSchema(schema, drafts.map(({ json }) => json)));
  const answer = isClean(quick) ? quick : under(schema);
  if (answer.type === "failure") {
    errors.push(...answer.errors.map((error) => fault("POLICY_INVALID", "bundle", error)));
    return [];
  }
  const invalid = new Set(answer.validationErrors.map(({ policyId }) => policyId));
  const toFault = (code: string) => ({ policyId, error }: ValidationError): FirmaError => {
    const draft = drafts[Number(policyId)]!;
    return fault(
      code,
      draft.id,
      error,
      errorPlace(draft.file, draft.source, draft.statement, error),
    );
  };
  errors.push(...distinct(answer.validationErrors.map(toFault("POLICY_INVALID"))));
  // A policy with a type error is also called impossible, which helps nobody.
  const warnings = answer.validationWarnings.filter(({ policyId }) => !invalid.has(policyId));
  return inReadingOrder(distinct(warnings.map(toFault("POLICY_SUSPECT"))));
}

function isClean(answer: ValidationAnswer): boolean {
  return answer.type === "success" && answer.validationErrors.length === 0 &&
    answer.validationWarnings.length === 0 && answer.otherWarnings.length === 0;
}

/** Cedar reports a fault once for each action it applies to. */
function distinct(faults: readonly FirmaError[]): FirmaError[] {
  const seen = new Map<string, FirmaError>();
  for (const fault of faults) {
    const key = JSON.stringify([fault.at, fault.message]);
    if (!seen.has(key)) seen.set(key, fault);
  }
  return [...seen.values()];
}

function inReadingOrder(faults: FirmaError[]): FirmaError[] {
  return faults.sort(({ at: a }, { at: b }) => {
    if (a?.file !== b?.file) return (a?.file ?? "") < (b?.file ?? "") ? -1 : 1;
    return (a?.line ?? 0) - (b?.line ?? 0) || (a?.column ?? 0) - (b?.column ?? 0);
  });
}

function fault(
  code: string,
  policy: string,
  error: DetailedError,
  at?: FirmaError["at"],
): FirmaError {
  const expected = error.sourceLocations?.[0]?.label;
  const text = error.message
    .replace(/^failed to parse policy (?:with id `[^`]*` )?from string: /, "")
    .replace(CEDAR_POLICY, "")
    .replace(/ (?:in context )?for \w+::Action::"[^"]*"/g, " in context");
  return {
    code,
    message: `Cannot load policy "${policy}": ${
      quoted(`${text}${expected ? `, ${expected}` : ""}`)
    }`,
    ...(error.help && { cure: meantAction(text) ?? quoted(error.help.replace(CEDAR_POLICY, "")) }),
    ...(at && { at }),
  };
}

/** Cedar counts two letters in the wrong order as two edits, and so finds another class nearer. */
function meantAction(text: string): string | undefined {
  const [, name] = /^unrecognized action `Firma::Action::"([^"]+)"`/.exec(text) ?? [];
  const meant = name && nearest(name, actionClasses().map((entry) => entry.name));
  return meant && `did you mean Firma::Action::"${meant}"?`;
}

/** Cedar quotes with backticks; what holds quotes of its own needs no others around it. */
function quoted(text: string): string {
  return text.replace(/`([^`]*)`/g, (_, inner) => inner.includes('"') ? inner : `"${inner}"`);
}

function tooComplex(policy: string, at: FirmaError["at"]): FirmaError {
  return {
    code: "POLICY_TOO_COMPLEX",
    message: `Cannot load policy "${policy}": its expressions nest too deep`,
    cure: 'split it into several policies, or test membership with ["a", "b"].contains(…)',
    ...(at && { at }),
  };
}

function emptyBundle(bundle: PolicyBundle): FirmaError {
  const [first] = bundle.policies;
  return {
    code: "POLICY_EMPTY",
    message: "Cannot load the policy bundle: it holds no policy",
    cure: "write at least one policy; without any everything is denied",
    ...(first && { at: { file: first.file } }),
  };
}

function schemaFault(schema: string, error: DetailedError): FirmaError {
  const [location] = error.sourceLocations ?? [];
  const position = positionAt(schema, utf16Offset(schema, location?.start ?? 0));
  return {
    code: "SCHEMA_INVALID",
    message: `Cannot load the Cedar schema: ${error.message.replaceAll("`", '"')}`,
    at: { file: "firma.cedarschema", ...position },
  };
}

function place(draft: Draft, offset: number): Position & { file: string } {
  return { file: draft.file, ...positionAt(draft.source, draft.statement.start + offset) };
}

function errorPlace(file: string, source: string, statement: Statement, error: DetailedError) {
  const [location] = error.sourceLocations ?? [];
  const offset = utf16Offset(statement.text, location?.start ?? 0);
  const end = utf16Offset(statement.text, location?.end ?? 0);
  const length = Math.max(1, [...statement.text.slice(offset, end)].length);
  return { file, ...positionAt(source, statement.start + offset), length };
}
