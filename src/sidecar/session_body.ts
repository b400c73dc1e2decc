import * as v from "valibot";
import { isId } from "../core/id.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { SessionRequest } from "./sessions.ts";

const shortText = v.pipe(v.string(), v.maxLength(4096));
const SessionBody = v.strictObject({
  sandbox_id: v.pipe(v.string(), v.check((id) => isId("sbx", id), "is not a sandbox id")),
  agent_id: v.pipe(v.string(), v.check((id) => isId("agt", id), "is not an agent id")),
  profile: shortText,
  command: shortText,
  workspace: shortText,
  capability_file: v.optional(
    v.pipe(shortText, v.check((path) => path.startsWith("/"), "is not an absolute path")),
  ),
});
const EndBody = v.strictObject({
  exit_code: v.optional(v.pipe(v.number(), v.integer())),
});

/** Reads what asks for a session. */
export function parseSessionBody(body: unknown): Result<SessionRequest> {
  const parsed = parse(SessionBody, body);
  if (!parsed.ok) return parsed;
  const { sandbox_id, agent_id, capability_file, ...rest } = parsed.value;
  return ok({
    sandboxId: sandbox_id,
    agentId: agent_id,
    ...(capability_file !== undefined && { capabilityFile: capability_file }),
    ...rest,
  });
}

/** Reads what ends a session: the exit code of the agent, when it had one. */
export function parseEndBody(body: unknown): Result<number | undefined> {
  const parsed = parse(EndBody, body);
  return parsed.ok ? ok(parsed.value.exit_code) : parsed;
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
