import type { ContextValue } from "../../core/envelope.ts";
import type { DenialForm } from "../../core/problem.ts";
import { ok, type Result } from "../../core/result.ts";
import { quote } from "../malformed.ts";
import {
  type DecodeFault,
  type Decoder,
  type DecoderInput,
  type Headers,
  type Operation,
  unclassified,
  unreadable,
} from "./decoder.ts";
import { isObject, type Json, type JsonObject, member, parseJson } from "./json.ts";
import { checkHeaders, type McpMessage } from "./mcp_headers.ts";
import { githubToolOperations, isGithubServer } from "./mcp_github.ts";
import { expectType, singleHeader } from "./media_type.ts";
import { LONGEST_ATTRIBUTE } from "./text.ts";
import { toolClass } from "../tool_table.ts";

const WHAT = "the MCP message";

/** Oldest first; a message of a newer one may mean what nobody here knows. */
const REVISIONS = [
  "2024-10-07",
  "2024-11-05",
  "2025-03-26",
  "2025-06-18",
  "2025-11-25",
  "2026-07-28",
];
/** The only revision with arrays of messages, and what a request without a version counts as. */
const BATCHING = "2025-03-26";
const FIRST_WITH_RESULT_TYPE = "2026-07-28";
const MOST_MESSAGES = 50;
const META = "io.modelcontextprotocol/protocolVersion";

/** Methods of all revisions that call no tool: they are of the rule's class. */
const METHODS: ReadonlySet<string> = new Set([
  "completion/complete",
  "initialize",
  "logging/setLevel",
  "ping",
  "prompts/get",
  "prompts/list",
  "resources/list",
  "resources/read",
  "resources/subscribe",
  "resources/templates/list",
  "resources/unsubscribe",
  "server/discover",
  "subscriptions/listen",
  "tasks/cancel",
  "tasks/get",
  "tasks/list",
  "tasks/result",
  "tasks/update",
  "tools/list",
]);

/**
 * MCP over HTTP, every revision up to 2026-07-28. The body decides; headers that say
 * the same thing must agree with it. A tool of GitHub's server has the class of the
 * table, and one that the table does not know is not classified. At other servers the
 * rule may name classes of tools, and then a tool that it does not name is not classified;
 * without, a tool call is of the rule's class. Policies are told the tool's name. What a
 * server says of its tools itself is not asked for: a hint of theirs could make a call look
 * more harmless, and a rule that names its tools is stricter than any hint.
 */
export const mcp: Decoder = {
  reads: "whole",
  decode(input) {
    if (input.call.method !== "POST") {
      if (input.body.length > 0) return unreadable(WHAT, "it has a body");
      return ok({ operations: [{ actionClass: input.rule.actionClass, attributes: {} }] });
    }
    const type = expectType(input.headers, ["application/json"]);
    if (!type.ok) return unreadable(WHAT, type.error);
    const json = parseJson(input.body);
    if (!json.ok) return unreadable(WHAT, json.error);
    const batch = Array.isArray(json.value);
    const messages = batch ? json.value as readonly Json[] : [json.value];
    if (messages.length > MOST_MESSAGES) return unreadable(WHAT, "there are too many at once");
    return readMessages(input, messages, batch);
  },
};

function readMessages(
  input: DecoderInput,
  values: readonly Json[],
  batch: boolean,
): ReturnType<Decoder["decode"]> {
  const messages: McpMessage[] = [];
  for (const value of values) {
    const message = readMessage(value);
    if (!message.ok) return unreadable(WHAT, message.error);
    messages.push(message.value);
  }
  const revision = revisionOf(input.headers, messages);
  if (!revision.ok) return unreadable(WHAT, revision.error);
  if (batch && revision.value !== BATCHING) {
    return unreadable(WHAT, `revision ${revision.value} has no arrays`);
  }
  const disagreement = checkHeaders(input.headers, messages, revision.value);
  if (disagreement !== undefined) return unreadable(WHAT, disagreement);
  const denialForm = formOf(messages, batch, revision.value);
  const found: Operation[] = [];
  for (const message of messages) {
    const operations = classify(input, message);
    if (!operations.ok) {
      return { ok: false, error: { ...operations.error, ...(denialForm && { denialForm }) } };
    }
    found.push(...operations.value);
  }
  const [first, ...rest] = found;
  if (first === undefined) return unreadable(WHAT, "it is empty");
  return ok({ operations: [first, ...rest], ...(denialForm && { denialForm }) });
}

function readMessage(value: Json): Result<McpMessage, string> {
  const fail = (error: string) => ({ ok: false, error }) as const;
  if (!isObject(value)) return fail("it is not an object");
  const fields: Record<string, Json | undefined> = {};
  for (const name of ["jsonrpc", "id", "method", "params"]) {
    const field = member(value, name);
    if (!field.ok) return field;
    fields[name] = field.value;
  }
  const { jsonrpc, id, method, params = new Map<string, Json>() } = fields;
  if (jsonrpc !== "2.0") return fail("it is not JSON-RPC 2.0");
  if (id !== undefined && typeof id !== "string" && typeof id !== "number") {
    return fail("its id is neither text nor number");
  }
  if (method !== undefined && (typeof method !== "string" || method.length > LONGEST_ATTRIBUTE)) {
    return fail("its method is not text");
  }
  if (!isObject(params)) return fail("its parameters are not an object");
  const names: Record<string, Json | undefined> = {};
  for (const name of ["name", "uri", "arguments", "protocolVersion", "_meta"]) {
    const field = member(params, name);
    if (!field.ok) return field;
    names[name] = field.value;
  }
  const target = method === "resources/read" ? names.uri : names.name;
  if (
    NAMED.has(method ?? "") && (typeof target !== "string" || target.length > LONGEST_ATTRIBUTE)
  ) {
    return fail("it does not say what it wants by name");
  }
  return ok({
    id,
    method,
    target: NAMED.has(method ?? "") ? target as string : undefined,
    arguments: names.arguments,
    claimed: claimedRevision(method, names.protocolVersion, names._meta),
  });
}

/** Methods that name a tool, a prompt or a resource. */
const NAMED: ReadonlySet<string> = new Set(["tools/call", "prompts/get", "resources/read"]);

function claimedRevision(
  method: string | undefined,
  version: Json | undefined,
  meta: Json | undefined,
): Json | undefined {
  if (method === "initialize") return version;
  return isObject(meta) ? meta.get(META) : undefined;
}

function revisionOf(headers: Headers, messages: readonly McpMessage[]): Result<string, string> {
  const header = singleHeader(headers, "mcp-protocol-version");
  if (!header.ok) return header;
  // A client that negotiates asks for the latest it knows, without a header.
  const negotiating = messages.length === 1 && messages[0]!.method === "initialize";
  const claims = new Set<Json>(header.value === undefined ? [] : [header.value]);
  for (const { claimed } of messages) if (claimed !== undefined) claims.add(claimed);
  const [claim, ...others] = claims;
  if (others.length > 0) {
    return { ok: false, error: "header and body name different revisions" };
  }
  if (claim === undefined) return ok(BATCHING);
  if (typeof claim === "string" && REVISIONS.includes(claim)) return ok(claim);
  if (negotiating && typeof claim === "string" && header.value === undefined) return ok(BATCHING);
  return { ok: false, error: `revision ${quote(String(claim))} is not known` };
}

function formOf(
  messages: readonly McpMessage[],
  batch: boolean,
  revision: string,
): DenialForm | undefined {
  const requests = messages.flatMap(({ id, method }) =>
    id === undefined || method === undefined ? [] : [{ id, toolCall: method === "tools/call" }]
  );
  // Notifications and answers have nobody who waits for a result.
  if (requests.length === 0) return undefined;
  return { kind: "mcp", requests, batch, resultType: revision >= FIRST_WITH_RESULT_TYPE };
}

function classify(
  input: DecoderInput,
  { method, target, arguments: values }: McpMessage,
): Result<readonly Operation[], DecodeFault> {
  const { actionClass } = input.rule;
  if (method === undefined) return ok([{ actionClass, attributes: { mcp_method: "response" } }]);
  const attributes: Record<string, ContextValue> = { mcp_method: method };
  if (method === "tools/call") {
    attributes.mcp_tool = target!;
    const parameters = argumentsOf(values);
    if (parameters === undefined) return unreadable(WHAT, "its arguments are not an object");
    const { tools } = input.rule;
    if (isGithubServer(input.call)) {
      const known = githubToolOperations(target!, parameters, attributes);
      if (known.ok || tools === undefined) return known;
    }
    if (tools === undefined) return ok([{ actionClass, attributes }]);
    const named = toolClass(tools, target!);
    if (named !== undefined) return ok([{ actionClass: named, attributes }]);
    return unclassified("the tool call", `the rule does not name the tool ${quote(target!)}`);
  }
  if (!METHODS.has(method) && !method.startsWith("notifications/")) {
    return unclassified(WHAT, `the method ${quote(method)} is not known`);
  }
  if (target !== undefined) attributes.mcp_target = target;
  return ok([{ actionClass, attributes }]);
}

function argumentsOf(values: Json | undefined): JsonObject | undefined {
  if (values === undefined || values === null) return new Map();
  return isObject(values) ? values : undefined;
}
