import tools from "../../../packs/tables/github_mcp_tools.json" with { type: "json" };
import type { ContextValue, HttpCall } from "../../core/envelope.ts";
import { ok, type Result } from "../../core/result.ts";
import { quote } from "../malformed.ts";
import { classOrFiner, readClassTable } from "./class_table.ts";
import { type DecodeFault, type Operation, unclassified } from "./decoder.ts";
import { HIDDEN_REF, isRefName, refAttributes } from "./git_ref.ts";
import { HIDDEN_REPOSITORY, repositoryAttributes } from "./git_repository.ts";
import type { Json, JsonObject } from "./json.ts";
import { isPipelineFile, PIPELINE_CLASS } from "./pipeline_files.ts";

const TOOLS = readClassTable(tools.classes);
const DESTRUCTIVE = classOrFiner("code.destructive");
const HOST = /^api(?:\.[a-z]+)?\.githubcopilot\.com$/;
/** Tools that write files of a repository. */
const WRITERS: ReadonlySet<string> = new Set([
  "create_or_update_file",
  "push_files",
  "delete_file",
]);

/** Tools that change a ref; those of pull requests name it by their number. */
const CHANGES_REF: ReadonlySet<string> = new Set([
  ...WRITERS,
  "create_branch",
  "merge_pull_request",
  "update_pull_request_branch",
]);

/** Tells whether a call goes to GitHub's own MCP server. By address: names are self-declared. */
export function isGithubServer(call: HttpCall): boolean {
  return HOST.test(call.host) && /^\/mcp(?:\/|$)/.test(call.path);
}

/**
 * What a call of a tool of GitHub's server does. Some tools do one thing or another by
 * an argument; repository and branch are told to policies where they are named.
 */
export function githubToolOperations(
  tool: string,
  values: JsonObject,
  attributes: Readonly<Record<string, ContextValue>>,
): Result<readonly [Operation, ...Operation[]], DecodeFault> {
  const known = TOOLS.get(tool);
  if (known === undefined) {
    return unclassified("the tool call", `GitHub's server has no tool ${quote(tool)} in the table`);
  }
  const all = { ...attributes, ...gitAttributes(tool, values) };
  const about = [...HIDDEN_REPOSITORY, ...(CHANGES_REF.has(tool) ? HIDDEN_REF : [])];
  const first: Operation = {
    actionClass: deletes(tool, values) ? DESTRUCTIVE : known,
    attributes: all,
    hidden: about.filter((name) => !Object.hasOwn(all, name)),
  };
  return writesPipelineFile(tool, values)
    ? ok([first, { ...first, actionClass: PIPELINE_CLASS }])
    : ok([first]);
}

/** A tool with a `method` that deletes deletes, whatever else it can do. */
function deletes(tool: string, values: JsonObject): boolean {
  const method = values.get("method");
  return tool === "actions_run_trigger" && typeof method === "string" && /delete/i.test(method);
}

function writesPipelineFile(tool: string, values: JsonObject): boolean {
  if (!WRITERS.has(tool)) return false;
  const paths: Json[] = [values.get("path") ?? null];
  const files = values.get("files");
  if (Array.isArray(files)) {
    for (const file of files) paths.push(file instanceof Map ? file.get("path") ?? null : file);
  }
  return paths.some((path) => typeof path === "string" && isPipelineFile(path));
}

function gitAttributes(tool: string, values: JsonObject): Record<string, ContextValue> {
  const [owner, repo, branch] = ["owner", "repo", "branch"].map((name) => values.get(name));
  const repository = typeof owner === "string" && typeof repo === "string"
    ? repositoryAttributes("github.com", owner, repo)
    : undefined;
  const ref = typeof branch === "string"
    ? `refs/heads/${branch.replace(/^refs\/heads\//, "")}`
    : "";
  const writes = WRITERS.has(tool) || tool === "create_branch";
  return {
    git_provider: "github",
    ...(repository?.ok && repository.value),
    ...(isRefName(ref) && refAttributes(ref)),
    ...(writes && {
      git_operation: tool === "create_branch" ? "create" : "update",
      git_forced: false,
    }),
  };
}
