import mutations from "../../../packs/tables/github_graphql.json" with { type: "json" };
import { ok, type Result } from "../../core/result.ts";
import { quote } from "../malformed.ts";
import { classOrFiner, readClassTable } from "./class_table.ts";
import {
  type DecodeFault,
  type Decoder,
  type Operation,
  unclassified,
  unreadable,
} from "./decoder.ts";
import {
  type GraphqlOperation,
  parseGraphql,
  type RootField,
  type Value,
  Variable,
} from "./graphql_document.ts";
import {
  type Attributes,
  hiddenByQuery,
  losesCommits,
  mutationTarget,
  some,
} from "./github_graphql_target.ts";
import { isObject, type Json, type JsonObject, parseJson } from "./json.ts";
import { expectType } from "./media_type.ts";
import { LONGEST_ATTRIBUTE } from "./text.ts";
import { isPipelineFile, PIPELINE_CLASS } from "./pipeline_files.ts";

const WHAT = "the GraphQL request";
const MUTATIONS = readClassTable(mutations.classes);
const DESTRUCTIVE = classOrFiner("code.destructive");
const KEYS: ReadonlySet<string> = new Set(["query", "operationName", "variables", "extensions"]);
const MOST_REQUESTS = 50;
const MOST_OPERATIONS = 500;

type Faulty<T> = Result<T, DecodeFault>;

/**
 * GitHub's GraphQL interface. A query is of the rule's class, each mutation of the
 * class that the table gives it; one that the table does not know is not
 * classified. Every operation of a document counts, not the named one alone, and so
 * does every request of an array.
 */
export const githubGraphql: Decoder = {
  reads: "whole",
  decode({ call, headers, body, rule }) {
    if (call.query !== "") return unreadable(WHAT, "it has a query string");
    const type = expectType(headers, ["application/json"]);
    if (!type.ok) return unreadable(WHAT, type.error);
    const json = parseJson(body);
    if (!json.ok) return unreadable(WHAT, json.error);
    const requests = Array.isArray(json.value) ? json.value : [json.value];
    if (requests.length > MOST_REQUESTS) return unreadable(WHAT, "the array is too long");
    const found: Operation[] = [];
    for (const request of requests) {
      const operations = readRequest(request, (name) => name ?? rule.actionClass);
      if (!operations.ok) return operations;
      found.push(...operations.value);
      if (found.length > MOST_OPERATIONS) return unreadable(WHAT, "it does too much at once");
    }
    const [first, ...rest] = found;
    if (first === undefined) return unreadable(WHAT, "it is empty");
    return ok({ operations: [first, ...rest] });
  },
};

type ClassOf = (name: Operation["actionClass"] | undefined) => Operation["actionClass"];

function readRequest(request: Json, classOf: ClassOf): Faulty<Operation[]> {
  if (!isObject(request)) return unreadable(WHAT, "it is not an object");
  for (const key of request.keys()) {
    if (!KEYS.has(key)) return unclassified(WHAT, `${quote(key)} is not known`);
  }
  const query = request.get("query");
  if (typeof query !== "string") return unclassified(WHAT, "it has no document");
  const variables = request.get("variables") ?? new Map();
  if (!isObject(variables)) return unreadable(WHAT, "its variables are not an object");
  const extensions = request.get("extensions") ?? new Map();
  if (!isObject(extensions) || extensions.size > 0) {
    return unclassified(WHAT, "its extensions are not known");
  }
  const document = parseGraphql(query);
  if (!document.ok) return unreadable("the GraphQL document", document.error);
  const wanted = request.get("operationName") ?? "";
  if (typeof wanted !== "string") return unreadable(WHAT, "its operation name is not text");
  if (wanted === "" ? document.value.length > 1 : !document.value.some((o) => o.name === wanted)) {
    return unreadable(WHAT, "it does not say which operation is meant");
  }
  const found: Operation[] = [];
  for (const operation of document.value) {
    const operations = readOperation(operation, variables, classOf);
    if (!operations.ok) return operations;
    found.push(...operations.value);
  }
  return ok(found);
}

function readOperation(
  operation: GraphqlOperation,
  variables: JsonObject,
  classOf: ClassOf,
): Faulty<Operation[]> {
  const { type, name = "", fields } = operation;
  if (type === "subscription") return unclassified(WHAT, "subscriptions are not known");
  if (name.length > LONGEST_ATTRIBUTE) return unreadable(WHAT, "its name is too long");
  const attributes: Attributes = {
    git_provider: "github",
    graphql_operation_type: type,
    graphql_operation_name: name,
    graphql_root_fields: [...new Set(fields.map((field) => field.name))].sort(),
  };
  const reading = { actionClass: classOf(undefined), attributes, hidden: hiddenByQuery(fields) };
  if (type === "query") return ok([reading]);
  const found: Operation[] = [];
  for (const field of fields) {
    if (field.name === "__typename") continue;
    const known = MUTATIONS.get(field.name);
    if (known === undefined) {
      return unclassified(WHAT, `the mutation ${quote(field.name)} is not known`);
    }
    const input = resolve(field, operation, variables);
    const target = mutationTarget(field.name, input);
    const change: Operation = {
      actionClass: losesCommits(field.name, input) ? DESTRUCTIVE : classOf(known),
      attributes: { ...attributes, ...target.attributes },
      hidden: target.hidden,
    };
    found.push(change);
    if (changesPipeline(field.name, input)) {
      found.push({ ...change, actionClass: PIPELINE_CLASS });
    }
  }
  return found.length > 0 ? ok(found) : ok([{ actionClass: classOf(undefined), attributes }]);
}

/** The argument `input` with variables replaced; `undefined` for one that has no value. */
function resolve(
  field: RootField,
  operation: GraphqlOperation,
  variables: JsonObject,
): Json | undefined {
  const replace = (value: Value | undefined): Json | undefined => {
    if (value instanceof Variable) {
      const given = variables.get(value.name);
      return given === undefined ? replace(constant(operation.variables.get(value.name))) : given;
    }
    if (Array.isArray(value)) return value.map((item) => replace(item) ?? null);
    if (value instanceof Map) {
      return new Map([...value].map(([key, item]) => [key, replace(item) ?? null]));
    }
    return value as Json | undefined;
  };
  return replace(field.arguments.get("input"));
}

/** A default value must not name a variable (specification, 5.6), or this would not end. */
function constant(value: Value | undefined): Value | undefined {
  return value instanceof Variable ? undefined : value;
}

function changesPipeline(mutation: string, input: Json | undefined): boolean {
  return mutation === "createCommitOnBranch" &&
    some(
      input,
      (key, value) => key === "path" && typeof value === "string" && isPipelineFile(value),
    );
}
