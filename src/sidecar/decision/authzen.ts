/**
 * The access evaluation API of OpenID AuthZEN 1.0, for calls over HTTP: the subject is a session,
 * the action a method, the resource a URL.
 */
import * as v from "valibot";
import { err, ok, type Result } from "../../core/result.ts";
import type { Advice } from "../gate.ts";
import type { Question } from "../worker/messages.ts";
import { question } from "./question.ts";

/** The answer to one evaluation. */
export interface Evaluation {
  readonly decision: boolean;
  readonly context: Readonly<Record<string, string>>;
}

/** What a body asks: each evaluation by itself, for what is wrong with one is said of that one. */
export interface Evaluations {
  readonly questions: readonly Result<Question>[];
  readonly semantic: "execute_all" | "deny_on_first_deny" | "permit_on_first_permit";
}

/** More are for several requests. */
const MOST_EVALUATIONS = 100;

const Properties = v.optional(v.record(v.string(), v.unknown()));
const Entity = v.object({ type: v.string(), id: v.string(), properties: Properties });
const Action = v.object({ name: v.string(), properties: Properties });
const Asked = v.object({
  subject: v.optional(Entity),
  action: v.optional(Action),
  resource: v.optional(Entity),
  context: v.optional(v.record(v.string(), v.unknown())),
});
const Batch = v.object({
  ...Asked.entries,
  evaluations: v.optional(v.array(Asked)),
  options: v.optional(v.object({
    evaluations_semantic: v.optional(
      v.picklist(["execute_all", "deny_on_first_deny", "permit_on_first_permit"]),
    ),
  })),
});
const Content = v.object({
  headers: v.optional(v.record(v.string(), v.string())),
  body: v.optional(v.string()),
  body_base64: v.optional(v.string()),
});

type Asked = v.InferOutput<typeof Asked>;

/** Reads the body of `POST /access/v1/evaluation`. */
export function readEvaluation(body: unknown): Result<Question> {
  const asked = parse(Asked, body);
  return asked.ok ? toQuestion(asked.value) : asked;
}

/** Reads the body of `POST /access/v1/evaluations`: its members stand in for what one leaves out. */
export function readEvaluations(body: unknown): Result<Evaluations> {
  const batch = parse(Batch, body);
  if (!batch.ok) return batch;
  const { evaluations = [], options, ...shared } = batch.value;
  if (evaluations.length > MOST_EVALUATIONS) {
    return malformed(`"evaluations" has more than ${MOST_EVALUATIONS} members`);
  }
  const questions = evaluations.map((each) => toQuestion({ ...shared, ...each }));
  return ok({ questions, semantic: options?.evaluations_semantic ?? "execute_all" });
}

/** The answer to a call that was decided. */
export function evaluation(
  { allowed, decision, actionClass, eventId, problem }: Advice,
): Evaluation {
  return {
    decision: allowed,
    context: {
      decision,
      action_class: actionClass,
      event_id: eventId,
      ...(!allowed && {
        reason: problem?.reason ?? "FailClosed",
        detail: problem?.detail ?? "firma could not decide the call",
        ...(problem?.approval_id !== undefined && { approval_id: problem.approval_id }),
      }),
    },
  };
}

function toQuestion({ subject, action, resource }: Asked): Result<Question> {
  if (subject === undefined) return malformed('"subject" is missing');
  if (action === undefined) return malformed('"action" is missing');
  if (resource === undefined) return malformed('"resource" is missing');
  if (subject.type !== "session") return malformed('"subject.type" is not "session"');
  if (resource.type !== "url") return malformed('"resource.type" is not "url"');
  const url = /^(https?):\/\/([^/?#]*)([/?].*)?$/.exec(resource.id);
  if (url === null) return malformed('"resource.id" is not an http URL without fragment');
  const content = parse(Content, action.properties ?? {});
  if (!content.ok) return content;
  const body = bodyOf(content.value);
  if (!body.ok) return body;
  const [, scheme, authority, target = "/"] = url;
  return question({
    sessionId: subject.id,
    method: action.name,
    scheme: scheme === "https" ? "https" : "http",
    authority: authority!,
    target: target.startsWith("?") ? `/${target}` : target,
    headers: content.value.headers ?? {},
    body: body.value,
  });
}

function bodyOf({ body, body_base64 }: v.InferOutput<typeof Content>): Result<Uint8Array> {
  if (body_base64 === undefined) return ok(new TextEncoder().encode(body ?? ""));
  if (body !== undefined) return malformed('"body" and "body_base64" are both there');
  try {
    return ok(Uint8Array.fromBase64(body_base64));
  } catch {
    return malformed('"body_base64" is not base64');
  }
}

function parse<T>(schema: v.GenericSchema<unknown, T>, value: unknown): Result<T> {
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return ok(parsed.output);
  const [issue] = parsed.issues;
  return malformed(`"${v.getDotPath(issue) ?? "body"}": ${issue.message}`);
}

function malformed(state: string): Result<never> {
  return err({ code: "INVALID_REQUEST", message: `Cannot evaluate the request: ${state}` });
}
