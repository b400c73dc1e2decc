import type { ContextValue, HttpCall } from "../../core/envelope.ts";
import { ok, type Result } from "../../core/result.ts";
import { classOrFiner } from "./class_table.ts";
import { type Decoder, type DecoderInput, type Operation, unreadable } from "./decoder.ts";
import { parseForm } from "./form.ts";
import { isRefName, refAttributes } from "./git_ref.ts";
import { repositoryAttributes } from "./git_repository.ts";
import { isObject, type Json, type JsonObject, parseJson } from "./json.ts";
import { contentType } from "./media_type.ts";
import { isPipelineFile, PIPELINE_CLASS } from "./pipeline_files.ts";

const WHAT = "the call to GitHub";
const DESTRUCTIVE = classOrFiner("code.destructive");
const LIFECYCLE = classOrFiner("repo.lifecycle");
/** Settings of a repository that change what it is rather than how it works. */
const LIFECYCLE_KEYS = ["private", "visibility", "archived", "name", "default_branch"];
const REPOSITORY = /^\/repos\/([^/]+)\/([^/]+)(?:\/(.*?))?\/?$/;
const TYPES =
  /^(?:application\/(?:[\w.+-]*\+)?json|application\/x-www-form-urlencoded|text\/plain)$/;

type Attributes = Readonly<Record<string, ContextValue>>;

/** The REST interface of GitHub where no body matters: which repository a call is about. */
export const githubRepository: Decoder = {
  reads: "nothing",
  decode({ call, rule }) {
    const repository = repositoryIn(call);
    if (!repository.ok) return unreadable(WHAT, repository.error);
    const { attributes } = repository.value;
    return ok({ operations: [{ actionClass: rule.actionClass, attributes }] });
  },
};

/**
 * The REST interface of GitHub where the body says what a call does: refs that are
 * made, forced or deleted, files that decide what GitHub runs, settings that change
 * what a repository is, approvals, and what becomes public.
 */
export const githubRest: Decoder = {
  reads: "whole",
  decode(input) {
    const repository = repositoryIn(input.call);
    if (!repository.ok) return unreadable(WHAT, repository.error);
    const body = readBody(input);
    if (!body.ok) return unreadable(WHAT, body.error);
    const { attributes, rest } = repository.value;
    const found = describe(input, rest, body.value);
    const [first, ...more] = found.map((operation) => ({
      ...operation,
      attributes: { ...attributes, ...operation.attributes },
    }));
    return ok({ operations: [first!, ...more] });
  },
};

/** The repository in the path, and what follows it; neither for other paths. */
function repositoryIn(
  call: HttpCall,
): Result<{ attributes: Attributes; rest: string | undefined }, string> {
  const match = REPOSITORY.exec(call.path);
  if (match === null) return ok({ attributes: {}, rest: undefined });
  const [, owner, repo, rest = ""] = match;
  const attributes = repositoryAttributes(
    call.host,
    decodeURIComponent(owner!),
    decodeURIComponent(repo!),
  );
  return attributes.ok ? ok({ attributes: attributes.value, rest }) : attributes;
}

/** GitHub reads JSON whatever the type of the body says, so the type decides nothing here. */
function readBody({ headers, body }: DecoderInput): Result<JsonObject, string> {
  if (body.length === 0) return ok(new Map());
  const type = contentType(headers);
  if (!type.ok) return type;
  const { type: name = "text/plain", parameters } = type.value ?? {};
  if (!TYPES.test(name) || !/^utf-?8$/i.test(parameters?.get("charset") ?? "utf-8")) {
    return { ok: false, error: "Content-Type is not that of JSON in UTF-8" };
  }
  const json = parseJson(body);
  if (!json.ok) return json;
  return isObject(json.value) ? ok(json.value) : { ok: false, error: "it is not an object" };
}

function describe(
  { call, rule }: DecoderInput,
  rest: string | undefined,
  body: JsonObject,
): readonly Operation[] {
  const { method } = call;
  const { actionClass } = rule;
  if (rest === undefined) return [{ actionClass, attributes: publishing(method, body, true) }];
  if (rest === "") {
    const first = { actionClass, attributes: publishing(method, body, false) };
    const changes = method === "PATCH" && LIFECYCLE_KEYS.some((key) => body.has(key));
    return changes ? [first, { ...first, actionClass: LIFECYCLE }] : [first];
  }
  if (/^git\/refs(?:\/|$)/.test(rest)) return [refOperation(method, actionClass, rest, body)];
  const attributes = {
    ...branchAttributes(call, rest, body),
    ...reviewAttributes(rest, body),
    ...(rest === "generate" && publishing(method, body, true)),
    ...(/^security-advisories\//.test(rest) && { publishes: body.get("state") === "published" }),
  };
  const first = { actionClass, attributes };
  return pathsOf(rest, body).some(isPipelineFile)
    ? [first, { ...first, actionClass: PIPELINE_CLASS }]
    : [first];
}

function refOperation(
  method: string,
  actionClass: Operation["actionClass"],
  rest: string,
  body: JsonObject,
): Operation {
  const inPath = decodeURIComponent(rest.slice("git/".length));
  const named = body.get("ref");
  const ref = method === "POST" && typeof named === "string" ? named : inPath;
  const change = method === "POST" ? "create" : method === "DELETE" ? "delete" : "update";
  const force = body.get("force") ?? false;
  const forced = change === "delete" || change === "update" && force !== false;
  return {
    actionClass: forced ? DESTRUCTIVE : actionClass,
    attributes: {
      ...(isRefName(ref) && refAttributes(ref)),
      git_operation: change,
      git_forced: forced,
    },
  };
}

/** The branch that a commit through the API goes to, where the call names it. */
function branchAttributes(call: HttpCall, rest: string, body: JsonObject): Attributes {
  const commits = /^contents\//.test(rest);
  if (!commits && rest !== "merges") return {};
  const query = parseForm(call.query.slice(1));
  const inQuery = query.ok ? query.value.get("branch")?.[0] : undefined;
  const branch = commits ? body.get("branch") ?? inQuery : body.get("base");
  const ref = typeof branch === "string" ? branch.replace(/^(?!refs\/)/, "refs/heads/") : "";
  return {
    ...(isRefName(ref) && refAttributes(ref)),
    git_operation: "update",
    git_forced: false,
  };
}

function reviewAttributes(rest: string, body: JsonObject): Attributes {
  if (!/^pulls\/\d+\/reviews(?:\/\d+\/events)?$/.test(rest)) return {};
  const event = body.get("event");
  return { review_event: typeof event === "string" ? event.slice(0, 32).toUpperCase() : "PENDING" };
}

/** The files that a call writes. */
function pathsOf(rest: string, body: JsonObject): string[] {
  if (rest.startsWith("contents/")) return [decodeURIComponent(rest.slice("contents/".length))];
  const tree = body.get("tree");
  if (rest !== "git/trees" || !Array.isArray(tree)) return [];
  return tree.flatMap((entry: Json) => {
    const path = isObject(entry) ? entry.get("path") : undefined;
    return typeof path === "string" ? [path] : [];
  });
}

/** Whether a call makes something public; what is made anew is public unless it says otherwise. */
function publishing(method: string, body: JsonObject, anew: boolean): Attributes {
  const [visibility, hidden, open] = ["visibility", "private", "public"].map((key) =>
    body.get(key)
  );
  if (typeof open === "boolean") return { publishes: open };
  if (visibility !== undefined) return { publishes: visibility === "public" };
  if (hidden !== undefined) return { publishes: hidden !== true };
  return { publishes: anew && method === "POST" && !body.has("files") };
}
