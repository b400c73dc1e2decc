import { Buffer } from "node:buffer";
import { type AbortProblem, type DenyProblem, PROBLEM_TYPE } from "../../../core/problem.ts";
import { reasonPhrase } from "../../../net/http1/reason_phrase.ts";

/** A problem document as a whole response that ends its connection. */
export function formatProblem(problem: DenyProblem | AbortProblem): Buffer {
  const body = Buffer.from(JSON.stringify(problem));
  const head = `HTTP/1.1 ${problem.status} ${reasonPhrase(problem.status)}\r\n` +
    `Content-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${body.length}\r\n` +
    "Cache-Control: no-store\r\nConnection: close\r\n\r\n";
  return Buffer.concat([Buffer.from(head), body]);
}
