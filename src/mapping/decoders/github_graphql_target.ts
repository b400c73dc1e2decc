import type { ContextValue } from "../../core/envelope.ts";
import { HIDDEN_REF, isRefName, refAttributes } from "./git_ref.ts";
import { HIDDEN_REPOSITORY, repositoryAttributes } from "./git_repository.ts";
import { isObject, type Json, type JsonObject } from "./json.ts";

/** What policies are told. */
export type Attributes = Readonly<Record<string, ContextValue>>;

/** What an operation is about: what it says by name, and what it says by identifier. */
export interface Target {
  readonly attributes: Attributes;
  readonly hidden: readonly string[];
}

/** Fields of a query from which no path leads to a repository. */
const NO_REPOSITORY: ReadonlySet<string> = new Set([
  "__schema",
  "__type",
  "__typename",
  "codeOfConduct",
  "codesOfConduct",
  "license",
  "licenses",
  "meta",
  "rateLimit",
]);

/** Mutations that change a ref, which all but three of them name by identifier. */
const CHANGES_REF: ReadonlySet<string> = new Set([
  "createCommitOnBranch",
  "createLinkedBranch",
  "createRef",
  "deleteRef",
  "enablePullRequestAutoMerge",
  "enqueuePullRequest",
  "mergeBranch",
  "mergePullRequest",
  "revertPullRequest",
  "updatePullRequestBranch",
  "updateRef",
  "updateRefs",
]);

/** From nearly every object of a query a path leads to every other one. */
export function hiddenByQuery(fields: readonly { readonly name: string }[]): readonly string[] {
  return fields.every(({ name }) => NO_REPOSITORY.has(name)) ? [] : HIDDEN_REPOSITORY;
}

/** What a mutation says of repository and ref by name; most say it by identifier only. */
export function mutationTarget(mutation: string, input: Json | undefined): Target {
  const attributes = named(mutation, isObject(input) ? input : new Map());
  const about = [...HIDDEN_REPOSITORY, ...(CHANGES_REF.has(mutation) ? HIDDEN_REF : [])];
  return { attributes, hidden: about.filter((name) => !Object.hasOwn(attributes, name)) };
}

/** Whether a mutation of refs may make commits unreachable. */
export function losesCommits(mutation: string, input: Json | undefined): boolean {
  if (mutation !== "updateRef" && mutation !== "updateRefs") return false;
  return some(input, (key, value) =>
    key === "force" && value !== false && value !== null ||
    key === "afterOid" && typeof value === "string" && /^0+$/.test(value));
}

/** Tells whether a test holds for a member of a value, however deep. */
export function some(
  value: Json | undefined,
  test: (key: string, value: Json) => boolean,
): boolean {
  if (Array.isArray(value)) return value.some((item) => some(item, test));
  if (!isObject(value)) return false;
  return [...value].some(([key, item]) => test(key, item) || some(item, test));
}

function named(mutation: string, input: JsonObject): Attributes {
  switch (mutation) {
    case "createRef":
      return refNamed(input.get("name"), "create");
    case "mergeBranch":
      return refNamed(input.get("base"), "update");
    case "createCommitOnBranch":
      return branchNamed(input.get("branch") ?? null);
    case "deleteRef":
      return { git_operation: "delete", git_forced: true };
    case "updateRef":
    case "updateRefs":
      return { git_operation: "update", git_forced: losesCommits(mutation, input) };
    case "updatePullRequestBranch": {
      const merges = (input.get("updateMethod") ?? "MERGE") === "MERGE";
      return { git_operation: "update", git_forced: !merges };
    }
    default:
      return {};
  }
}

function refNamed(name: Json | undefined, operation: "create" | "update"): Attributes {
  const ref = typeof name === "string" ? name.replace(/^(?!refs\/)/, "refs/heads/") : "";
  if (!isRefName(ref)) return {};
  return { ...refAttributes(ref), git_operation: operation, git_forced: false };
}

/** A branch is named by identifier or by repository and name; of both, nobody knows which counts. */
function branchNamed(branch: Json): Attributes {
  if (!isObject(branch) || (branch.get("id") ?? null) !== null) return {};
  const [owner, repo, ...rest] = String(branch.get("repositoryNameWithOwner") ?? "").split("/");
  const repository = owner && repo && rest.length === 0
    ? repositoryAttributes("github.com", owner, repo)
    : undefined;
  return {
    ...(repository?.ok && repository.value),
    ...refNamed(branch.get("branchName"), "update"),
  };
}
