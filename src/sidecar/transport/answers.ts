/** What the Sidecar itself answers: refusals and failures, in the form that the client understands. */
import { Buffer } from "node:buffer";
import { type AbortProblem, type DenyProblem, PROBLEM_TYPE } from "../../core/problem.ts";
import type { FieldList, OutgoingResponse } from "../../net/http/exchange.ts";

const PERMISSION_DENIED = 7;
const DEADLINE_EXCEEDED = 4;
const UNAVAILABLE = 14;

/** The problem document as a response; for gRPC a response that is trailers only. */
export function problemResponse(
  problem: DenyProblem | AbortProblem,
  request: { readonly fields: FieldList },
): OutgoingResponse {
  const grpc = request.fields.find(([name, value]) =>
    name === "content-type" && /^application\/grpc(?:$|[+;-])/i.test(value)
  );
  if (grpc !== undefined) return grpcResponse(problem, grpc[1]);
  const body = Buffer.from(JSON.stringify(problem));
  const fields: [string, string][] = [
    ["content-type", PROBLEM_TYPE],
    ["content-length", String(body.length)],
    ["cache-control", "no-store"],
  ];
  if ("retry_after_ms" in problem && problem.retry_after_ms !== undefined) {
    fields.push(["retry-after", String(Math.ceil(problem.retry_after_ms / 1_000))]);
  }
  return { status: problem.status, fields, body };
}

function grpcStatus(problem: DenyProblem | AbortProblem): number {
  if ("denied" in problem) return PERMISSION_DENIED;
  return problem.reason === "CONNECTOR_TIMEOUT" ? DEADLINE_EXCEEDED : UNAVAILABLE;
}

/** gRPC over HTTP/2, "Trailers-Only": the status in the one and only header block. */
function grpcResponse(problem: DenyProblem | AbortProblem, contentType: string): OutgoingResponse {
  const message = [...Buffer.from(problem.detail)].map((byte) =>
    byte >= 0x20 && byte <= 0x7e && byte !== 0x25
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`
  ).join("");
  const fields: [string, string][] = [
    ["content-type", contentType],
    ["grpc-status", String(grpcStatus(problem))],
    ["grpc-message", message],
    ["firma-event-id", problem.event_id],
  ];
  return { status: 200, fields };
}
