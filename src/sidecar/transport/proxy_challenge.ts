import { Buffer } from "node:buffer";
import { PROBLEM_TYPE } from "../../core/problem.ts";
import type { OutgoingResponse } from "../../net/http/exchange.ts";
import { reasonPhrase } from "../../net/http1/reason_phrase.ts";

/** Why a request at the proxy is not served. */
export type Unidentified = "nobody" | "wrong" | "too many";

const DETAILS: Readonly<Record<Unidentified, string>> = {
  nobody:
    "this proxy of firma serves sessions alone; use the proxy address that yours was given, " +
    "which holds its name and password",
  wrong: "the name and password in the proxy address are of no session that is open here; ask " +
    "for a new session",
  "too many": "too many requests came with a wrong name or password; wait a moment",
};

/** The answer to whoever is of no session here (RFC 9110, 15.5.8). */
export function proxyChallenge(why: Unidentified): OutgoingResponse {
  const status = why === "too many" ? 429 : 407;
  const title = reasonPhrase(status);
  const document = { type: "urn:firma:proxy-authentication", title, status, detail: DETAILS[why] };
  const body = Buffer.from(JSON.stringify(document));
  const fields: [string, string][] = [
    why === "too many" ? ["retry-after", "1"] : ["proxy-authenticate", 'Basic realm="firma"'],
    ["content-type", PROBLEM_TYPE],
    ["content-length", String(body.length)],
    ["cache-control", "no-store"],
  ];
  return { status, fields, body };
}

/** The same as bytes that end their connection. */
export function formatChallenge(why: Unidentified): Buffer {
  const { status, fields, body } = proxyChallenge(why);
  const lines = [...fields, ["connection", "close"]].map(([name, value]) =>
    `${name}: ${value}\r\n`
  );
  const head = `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n${lines.join("")}\r\n`;
  return Buffer.concat([Buffer.from(head), body as Uint8Array]);
}
