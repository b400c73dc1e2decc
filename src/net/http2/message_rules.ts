/** What makes the header list of a message well-formed (RFC 9113, 8.2 and 8.3). */
import type { FieldList } from "../http/exchange.ts";

/** A header list, taken apart. */
export interface MessageHead {
  readonly pseudo: ReadonlyMap<string, string>;
  readonly fields: [string, string][];
  /** Content-Length, where it is given. */
  readonly length: number | undefined;
}

const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const VALUE = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/;
const OF_CONNECTION: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

/** Takes a header list apart; a text says what is wrong with it. */
export function readMessageHead(list: FieldList, allowed: readonly string[]): MessageHead | string {
  const pseudo = new Map<string, string>();
  const fields: [string, string][] = [];
  let length: number | undefined;
  for (const [name, value] of list) {
    if (!VALUE.test(value)) return "header field has a malformed value";
    if (name.startsWith(":")) {
      if (fields.length > 0) return "pseudo-header field after a header field";
      if (!allowed.includes(name)) return "unknown pseudo-header field";
      if (pseudo.has(name)) return "pseudo-header field is given twice";
      pseudo.set(name, value);
      continue;
    }
    if (!NAME.test(name)) return "header field has a malformed name";
    if (OF_CONNECTION.has(name) || (name === "te" && value !== "trailers")) {
      return "header field of the connection";
    }
    if (name === "content-length") {
      if (length !== undefined) return "Content-Length is given twice";
      if (!/^[0-9]{1,15}$/.test(value)) return "Content-Length is malformed";
      length = Number(value);
    }
    fields.push([name, value]);
  }
  return { pseudo, fields, length };
}
