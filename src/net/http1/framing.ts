/** How long the body of an HTTP/1 message is (RFC 9112, section 6), decided strictly. */
import { type Fields, type RequestHead, type ResponseHead, singleValue } from "./head.ts";

/** How a body ends. */
export type Framing =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly length: number }
  | { readonly kind: "chunked" }
  | { readonly kind: "close" }
  | { readonly kind: "bad"; readonly detail: string };

const NONE = { kind: "none" } as const;
const CHUNKED = { kind: "chunked" } as const;
const CLOSE = { kind: "close" } as const;

function declared(fields: Fields, version: "1.0" | "1.1"): Framing | undefined {
  let coding: string | undefined;
  let length: string | undefined;
  for (const [name, value] of fields) {
    if (name === "transfer-encoding") {
      if (coding !== undefined) return { kind: "bad", detail: "Transfer-Encoding is given twice" };
      coding = value;
    } else if (name === "content-length") {
      if (length !== undefined) return { kind: "bad", detail: "Content-Length is given twice" };
      length = value;
    }
  }
  if (coding !== undefined) {
    if (length !== undefined) {
      return { kind: "bad", detail: "both Content-Length and Transfer-Encoding are given" };
    }
    if (version === "1.0") return { kind: "bad", detail: "Transfer-Encoding in HTTP/1.0" };
    if (coding.toLowerCase() !== "chunked") {
      return { kind: "bad", detail: "Transfer-Encoding is not chunked" };
    }
    return CHUNKED;
  }
  if (length === undefined) return undefined;
  // Digits alone: "+5", "5, 5", "0x5" and the empty value mean different things to different parsers.
  if (!/^[0-9]{1,15}$/.test(length)) return { kind: "bad", detail: "Content-Length is malformed" };
  return { kind: "length", length: Number(length) };
}

/** The framing of a request's body. Refuses whatever could smuggle a second request. */
export function requestFraming(head: RequestHead): Framing {
  const host = singleValue(head.fields, "host");
  if (host === null) return { kind: "bad", detail: "Host is given twice" };
  if (host === undefined && head.version === "1.1") {
    return { kind: "bad", detail: "Host is missing" };
  }
  const framing = declared(head.fields, head.version);
  return framing === undefined || (framing.kind === "length" && framing.length === 0)
    ? NONE
    : framing;
}

/** The framing of the body of a response to a `method` request. */
export function responseFraming(head: ResponseHead, method: string): Framing {
  const { status } = head;
  if (method === "HEAD" || status < 200 || status === 204 || status === 304) return NONE;
  const framing = declared(head.fields, head.version) ?? CLOSE;
  return framing.kind === "length" && framing.length === 0 ? NONE : framing;
}
