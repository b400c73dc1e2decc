import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createConnectRouter } from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import { InterceptorHook, InterceptResponseSchema } from "../../proto/firma/v1/interceptor_pb.ts";
import type { Advice } from "../gate.ts";
import type { Question } from "../worker/messages.ts";
import { question } from "./question.ts";

/** Has a call decided. */
export type Advise = (question: Question) => Promise<Advice>;

/** The package in which other clients of this protocol have the same service. */
const OTHER_PACKAGE = "/firma.interceptor.v1.";
const OWN_PACKAGE = "/firma.v1.";

/** The handlers of `InterceptorHook`, for Connect, gRPC and gRPC-Web, by their paths in both packages. */
export function interceptHandlers(
  advise: Advise,
  largestRequest: number,
): ReadonlyMap<string, UniversalHandler> {
  const router = createConnectRouter({ readMaxBytes: largestRequest, acceptCompression: [] });
  router.service(InterceptorHook, {
    async intercept(request) {
      const asked = question({
        sessionId: request.sessionId,
        method: request.method,
        scheme: request.isHttps ? "https" : "http",
        authority: request.host,
        target: request.path,
        headers: request.headers,
        body: request.body,
      });
      if (!asked.ok) throw new ConnectError(asked.error.message, Code.InvalidArgument);
      const { allowed, decision, actionClass, eventId, problem } = await advise(asked.value);
      const reason = allowed ? "" : problem?.reason ?? "FailClosed";
      return create(InterceptResponseSchema, { allowed, reason, decision, actionClass, eventId });
    },
  });
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  for (const handler of router.handlers) {
    handlers.set(handler.requestPath.replace(OWN_PACKAGE, OTHER_PACKAGE), handler);
  }
  return handlers;
}
