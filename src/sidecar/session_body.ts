import { isAgentName } from "../core/agent_name.ts";
import type { SandboxFinding } from "../core/event.ts";
import { isId } from "../core/id.ts";
import { err, ok, type Result } from "../core/result.ts";
import { integer, list, members, oneOf, type Shape, text } from "./body_shape.ts";
import type { LossQuestion } from "./losses/question.ts";
import type { SessionRequest } from "./sessions.ts";

/** What asks for a session, as it travels. */
interface SessionBody {
  readonly sandbox_id: string;
  readonly agent_id?: string;
  /** A name in the Authority's registry, in place of `agent_id`. */
  readonly agent?: string;
  readonly profile: string;
  readonly command: string;
  readonly workspace: string;
  readonly capability_file?: string;
  readonly mode?: "enforce" | "monitor";
  readonly interceptor?: "unix_socket" | "http_proxy";
}

const MOST = 4096;
const shortText = text(MOST);
const count = integer(0);

const SESSION = members({
  sandbox_id: text(MOST, (id) => isId("sbx", id), "is not a sandbox id"),
  profile: shortText,
  command: shortText,
  workspace: shortText,
}, {
  agent_id: text(MOST, (id) => isId("agt", id), "is not an agent id"),
  agent: text(MOST, isAgentName, "is not the name of an agent"),
  capability_file: text(MOST, (path) => path.startsWith("/"), "is not an absolute path"),
  mode: oneOf("enforce", "monitor"),
  interceptor: oneOf("unix_socket", "http_proxy"),
});
const FINDING = members({
  finding: oneOf("connection", "seal", "limit", "gate", "deletion", "overwrite"),
  detail: shortText,
  count,
}, {
  action_class: oneOf("filesystem.delete", "filesystem.write"),
  total: count,
  paths: list(shortText, 100),
  final: oneOf(true),
  program: members({ pid: integer(), executable: shortText }),
});
const LOSS = members({
  deleted: count,
  paths: list(shortText, 100),
  step: oneOf("look", "ask", "wait"),
});
const END = members({}, { exit_code: integer() });

/** Reads what asks for a session. */
export function parseSessionBody(body: unknown): Result<SessionRequest> {
  const parsed = parse<SessionBody>(SESSION, body);
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
  const parsed = parse<{ readonly exit_code?: number }>(END, body);
  return parsed.ok ? ok(parsed.value.exit_code) : parsed;
}

/** Reads what a sandbox found. */
export function parseFindingBody(body: unknown): Result<SandboxFinding> {
  const parsed = parse<SandboxFinding>(FINDING, body);
  if (!parsed.ok) return parsed;
  const { count, total } = parsed.value;
  return count > 0 || total !== undefined ? parsed : invalidRequest('"body": nothing was found');
}

/** Reads what says that files are gone. */
export function parseLossBody(body: unknown): Result<Omit<LossQuestion, "sessionId">> {
  return parse<Omit<LossQuestion, "sessionId">>(LOSS, body);
}

function parse<T>(shape: Shape, body: unknown): Result<T> {
  const wrong = shape(body);
  if (wrong === undefined) return ok(body as T);
  const { path, state } = wrong;
  return invalidRequest(`"${path.length === 0 ? "body" : path.join(".")}": ${state}`);
}

/** Says why a request cannot be used. */
export function invalidRequest(state: string): Result<never> {
  return err({ code: "INVALID_REQUEST", message: `Cannot use the request: ${state}` });
}
