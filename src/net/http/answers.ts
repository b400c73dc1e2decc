import { Buffer } from "node:buffer";
import { PROBLEM_TYPE } from "../../core/problem.ts";
import type { OutgoingResponse } from "./exchange.ts";

/** An answer that is at hand whole. */
export type WholeAnswer = OutgoingResponse & { readonly body: Uint8Array };

/** A value as JSON. */
export function json(
  status: number,
  value: unknown,
  more: readonly (readonly [string, string])[] = [],
  type = "application/json",
): WholeAnswer {
  const body = Buffer.from(JSON.stringify(value));
  const fields = [
    ["content-type", type],
    ["content-length", String(body.length)],
    ["cache-control", "no-store"],
    ...more,
  ] as const;
  return { status, fields, body };
}

/** What is wrong with a request (RFC 9457). */
export function problem(
  status: number,
  detail: string,
  more: readonly (readonly [string, string])[] = [],
): WholeAnswer {
  return json(status, { type: "about:blank", status, detail }, more, PROBLEM_TYPE);
}
