import { Hono } from "hono";
import type { FirmaError } from "../core/result.ts";
import { PROBLEM_TYPE } from "../core/problem.ts";
import { invalidRequest, parseEndBody, parseSessionBody } from "./session_body.ts";
import type { OpenedSession, SessionRequest } from "./sessions.ts";
import type { Result } from "../core/result.ts";

/** What the control API acts on. */
export interface ControlTarget {
  openSession(request: SessionRequest): Promise<Result<OpenedSession>>;
  /** `false` when there is no such session. Returns once its events are in the log. */
  endSession(sessionId: string, exitCode: number | undefined): Promise<Result<boolean>>;
  status(): Readonly<Record<string, unknown>>;
  readonly certificatePem: string;
  readonly bundleVersion: () => string;
}

/**
 * The control API. Who reaches its socket (mode 0600, in a directory of mode
 * 0700 that no sandbox sees) is the operator; there is no other authentication.
 */
export function controlApi(target: ControlTarget): Hono {
  const app = new Hono();

  app.post("/v1/sessions", async (context) => {
    const body = await readBody(context.req.raw, parseSessionBody);
    if (!body.ok) return problem(400, body.error);
    const opened = await target.openSession(body.value);
    if (!opened.ok) return problem(503, opened.error);
    return context.json({
      session_id: opened.value.sessionId,
      proxy_socket: opened.value.proxySocket,
      ca_certificate: target.certificatePem,
      token_id: opened.value.tokenId,
      policy_bundle_version: target.bundleVersion(),
    }, 201);
  });

  app.post("/v1/sessions/:id/end", async (context) => {
    const body = await readBody(context.req.raw, parseEndBody);
    if (!body.ok) return problem(400, body.error);
    const id = context.req.param("id");
    const ended = await target.endSession(id, body.value);
    if (!ended.ok) return problem(503, ended.error);
    if (ended.value) return context.body(null, 204);
    return problem(404, { code: "NO_SESSION", message: `Cannot end session "${id}": not found` });
  });

  app.get("/v1/status", (context) => context.json(target.status()));

  app.notFound(() => problem(404, { code: "NOT_FOUND", message: "Cannot serve this path" }));
  app.onError((error) => problem(500, { code: "INTERNAL", message: error.message, cause: error }));
  return app;
}

async function readBody<T>(
  request: Request,
  parse: (body: unknown) => Result<T>,
): Promise<Result<T>> {
  try {
    return parse(await request.json());
  } catch {
    return invalidRequest("it is not JSON");
  }
}

function problem(status: number, { code, message, cure }: FirmaError): Response {
  const body = { type: "about:blank", status, code, detail: message, cure };
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": PROBLEM_TYPE },
  });
}
