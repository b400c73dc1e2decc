import type { ContextValue, HttpCall } from "../../core/envelope.ts";
import { ok, type Result } from "../../core/result.ts";
import { classOrFiner } from "./class_table.ts";
import { type Decoder, type DecoderInput, type Operation, unreadable } from "./decoder.ts";
import { parseForm } from "./form.ts";
import { HIDDEN_REF, isRefName, refAttributes } from "./git_ref.ts";
import { repositoryAttributes } from "./git_repository.ts";
import { repositoryInPath, restPath } from "./github_repository.ts";
import { isObject, type Json, type JsonObject, parseJson } from "./json.ts";
import { contentType } from "./media_type.ts";
import { isPipelineFile, PIPELINE_CLASS } from "./pipeline_files.ts";

const WHAT = "the call to GitHub";
const DESTRUCTIVE = classOrFiner("code.destructive");
const LIFECYCLE = classOrFiner("repo.lifecycle");
/** Settings of a repository that change what it is rather than how it works. */
const LIFECYCLE_KEYS = ["private", "visibility", "archived", "name", "default_branch"];
/** Members of bodies that say what a call does. */
const DECIDING: ReadonlySet<string> = new Set([
  ...LIFECYCLE_KEYS,
  ...["public", "force", "branch", "base", "ref", "tag_name", "event", "state", "tree"],
]);
const TYPES =
  /^(?:application\/(?:[\w.+-]*\+)?json|application\/x-www-form-urlencoded|text\/plain)$/;

type Attributes = Readonly<Record<string, ContextValue>>;

/**
 * The REST interface of GitHub where the body says what a call does: refs that are
 * made, forced or deleted, files that decide what GitHub runs, settings that change
 * what a repository is, approvals, and what becomes public.
 */
export const githubRest: Decoder = {
  reads: "whole",
  decode(input) {
    const repository = repositoryInPath(input.call);
    if (!repository.ok) return unreadable(WHAT, repository.error);
    const body = readBody(input);
    if (!body.ok) return unreadable(WHAT, body.error);
    const { attributes, hidden, rest } = repository.value;
    const twofold = saidInQuery(input.call, rest, body.value);
    if (twofold !== undefined) return unreadable(WHAT, twofold);
    const made = rest === undefined ? newRepository(input.call, body.value) : ok({});
    if (!made.ok) return unreadable(WHAT, made.error);
    const found = describe(input, rest, body.value);
    const [first, ...more] = found.map((operation) => {
      const all = { ...attributes, ...made.value, ...operation.attributes };
      const unnamed = [...hidden, ...operation.hidden ?? []].filter((name) =>
        !Object.hasOwn(all, name)
      );
      return { ...operation, attributes: all, hidden: unnamed };
    });
    return ok({ operations: [first!, ...more] });
  },
};

/** What a body decides by here, in the query of a write: nobody knows which of the two counts. */
function saidInQuery(
  { method, query }: HttpCall,
  rest: string | undefined,
  body: JsonObject,
): string | undefined {
  if (query === "" || method === "GET" || method === "HEAD") return undefined;
  const read = parseForm(query.slice(1));
  if (!read.ok) return `of its query ${read.error}`;
  for (const name of read.value.keys()) {
    const [plain] = name.split("[", 1) as [string];
    if (!DECIDING.has(plain.toLowerCase())) continue;
    // A file is deleted from the branch that the query names, where there is no body.
    if (name === "branch" && rest?.startsWith("contents/") && !body.has("branch")) continue;
    return `"${plain}" belongs into its body, and is in its query`;
  }
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

/** The repository that a call makes. Of the user's own, and by number, no call names the owner. */
function newRepository(call: HttpCall, body: JsonObject): Result<Attributes, string> {
  const path = restPath(call);
  const [, organisation] = /^\/orgs\/([^/]+)\/repos$/.exec(path) ?? [];
  const name = body.get("name");
  if (typeof name !== "string") return ok({});
  if (organisation !== undefined) {
    return repositoryAttributes(call.host, decodeURIComponent(organisation), name);
  }
  if (!/^\/(?:user|organizations\/[0-9]+)\/repos$/.test(path)) return ok({});
  const named = repositoryAttributes(call.host, "", name);
  if (!named.ok) return named;
  const { git_owner: _, ...attributes } = named.value;
  return ok(attributes);
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
  // Without a name it is the default branch, whatever that is called.
  const unnamed = "git_operation" in attributes && !("git_ref" in attributes);
  const first = { actionClass, attributes, ...(unnamed && { hidden: HIDDEN_REF }) };
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
    hidden: HIDDEN_REF,
  };
}

/** What a call changes without commits at hand: the ref that it names. */
function branchAttributes(call: HttpCall, rest: string, body: JsonObject): Attributes {
  const named = refIn(call, rest, body);
  if (named === undefined) return {};
  const { name, prefix, operation = "update", forced = false } = named;
  const ref = typeof name === "string" ? name.replace(/^(?!refs\/)/, prefix) : "";
  return {
    ...(isRefName(ref) && refAttributes(ref)),
    git_operation: operation,
    git_forced: forced,
  };
}

interface NamedRef {
  readonly name: Json | undefined;
  readonly prefix: "refs/heads/" | "refs/tags/";
  readonly operation?: "create" | "update";
  readonly forced?: boolean;
}

function refIn(call: HttpCall, rest: string, body: JsonObject): NamedRef | undefined {
  const prefix = "refs/heads/";
  if (rest.startsWith("contents/")) {
    const query = parseForm(call.query.slice(1));
    const inQuery = query.ok ? query.value.get("branch")?.[0] : undefined;
    return { name: body.get("branch") ?? inQuery, prefix };
  }
  if (rest === "merges") return { name: body.get("base"), prefix };
  if (rest === "merge-upstream") return { name: body.get("branch"), prefix };
  const [, renamed] = /^branches\/(.+)\/rename$/.exec(rest) ?? [];
  // Nothing of the old name is left, and what it protected is not protected any more.
  if (renamed !== undefined) return { name: decodeURIComponent(renamed), prefix, forced: true };
  if (/^releases(?:\/\d+)?$/.test(rest) && body.has("tag_name")) {
    return { name: body.get("tag_name"), prefix: "refs/tags/", operation: "create" };
  }
  return undefined;
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
