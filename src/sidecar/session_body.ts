import * as v from "valibot";
import { isAgentName } from "../core/agent_name.ts";
import type { SandboxFinding } from "../core/event.ts";
import { isId } from "../core/id.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { LossQuestion } from "./losses/question.ts";
import type { SessionRequest } from "./sessions.ts";

const shortText = v.pipe(v.string(), v.maxLength(4096));
const SessionBody = v.strictObject({
  sandbox_id: v.pipe(v.string(), v.check((id) => isId("sbx", id), "is not a sandbox id")),
  agent_id: v.optional(
    v.pipe(v.string(), v.check((id) => isId("agt", id), "is not an agent id")),
  ),
  /** A name in the Authority's registry, in place of `agent_id`. */
  agent: v.optional(v.pipe(v.string(), v.check(isAgentName, "is not the name of an agent"))),
  profile: shortText,
  command: shortText,
  workspace: shortText,
  capability_file: v.optional(
    v.pipe(shortText, v.check((path) => path.startsWith("/"), "is not an absolute path")),
  ),
  mode: v.optional(v.picklist(["enforce", "monitor"])),
  interceptor: v.optional(v.picklist(["unix_socket", "http_proxy"])),
});
const FindingBody = v.pipe(
  v.strictObject({
    finding: v.picklist(["connection", "seal", "limit", "gate", "deletion", "overwrite"]),
    detail: shortText,
    count: v.pipe(v.number(), v.integer(), v.minValue(0)),
    action_class: v.optional(v.picklist(["filesystem.delete", "filesystem.write"])),
    total: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
    paths: v.optional(v.pipe(v.array(shortText), v.maxLength(100))),
    final: v.optional(v.literal(true)),
    program: v.optional(v.strictObject({
      pid: v.pipe(v.number(), v.integer()),
      executable: shortText,
    })),
  }),
  v.check(({ count, total }) => count > 0 || total !== undefined, "nothing was found"),
);
const LossBody = v.strictObject({
  deleted: v.pipe(v.number(), v.integer(), v.minValue(0)),
  paths: v.pipe(v.array(shortText), v.maxLength(100)),
  step: v.picklist(["look", "ask", "wait"]),
});
const EndBody = v.strictObject({
  exit_code: v.optional(v.pipe(v.number(), v.integer())),
});

/** Reads what asks for a session. */
export function parseSessionBody(body: unknown): Result<SessionRequest> {
  const parsed = parse(SessionBody, body);
  if (!parsed.ok) return parsed;
  const { sandbox_id, agent_id, agent: name, capability_file, ...rest } = parsed.value;
  const agent = agent_id ?? name;
  if (agent === undefined || (agent_id !== undefined && name !== undefined)) {
    return invalidRequest('it has to have one of "agent_id" and "agent"');
  }
  if (name !== undefined && capability_file !== undefined) {
    return invalidRequest('with "capability_file", "agent_id" says whose token it holds');
  }
  const { mode, interceptor, ...named } = rest;
  return ok({
    sandboxId: sandbox_id,
    agent,
    ...named,
    ...(capability_file !== undefined && { capabilityFile: capability_file }),
    ...(mode !== undefined && { mode }),
    ...(interceptor !== undefined && { interceptor }),
  });
}

/** Reads what ends a session: the exit code of the agent, when it had one. */
export function parseEndBody(body: unknown): Result<number | undefined> {
  const parsed = parse(EndBody, body);
  return parsed.ok ? ok(parsed.value.exit_code) : parsed;
}

/** Reads what a sandbox found. */
export function parseFindingBody(body: unknown): Result<SandboxFinding> {
  const parsed = parse(FindingBody, body);
  if (!parsed.ok) return parsed;
  const { program, action_class, total, paths, final, ...finding } = parsed.value;
  return ok({
    ...finding,
    ...(action_class !== undefined && { action_class }),
    ...(total !== undefined && { total }),
    ...(paths !== undefined && { paths }),
    ...(final !== undefined && { final }),
    ...(program && { program }),
  });
}

/** Reads what says that files are gone. */
export function parseLossBody(body: unknown): Result<Omit<LossQuestion, "sessionId">> {
  return parse(LossBody, body);
}

function parse<T>(schema: v.GenericSchema<unknown, T>, body: unknown): Result<T> {
  const parsed = v.safeParse(schema, body);
  if (parsed.success) return ok(parsed.output);
  const [issue] = parsed.issues;
  return invalidRequest(`"${v.getDotPath(issue) ?? "body"}": ${issue.message}`);
}

/** Says why a request cannot be used. */
export function invalidRequest(state: string): Result<never> {
  return err({ code: "INVALID_REQUEST", message: `Cannot use the request: ${state}` });
}
