/**
 * Heads of HTTP/1 messages (RFC 9112), read strictly: whatever two parsers could
 * read in two ways is refused, because a request that firma and the upstream
 * disagree on has not been decided.
 */
import type { Buffer } from "node:buffer";

/** Header or trailer fields: names in lower case, in order, repetitions kept. */
export type Fields = [string, string][];

/** The head of a request. */
export interface RequestHead {
  readonly method: string;
  readonly target: string;
  readonly version: "1.0" | "1.1";
  readonly fields: Fields;
  /** The names as they were spelt, by index of `fields`. */
  readonly spellings: string[];
}

/** The head of a response. */
export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  readonly version: "1.0" | "1.1";
  readonly fields: Fields;
  readonly spellings: string[];
}

/** What reading a head came to. `size` counts the bytes of the head with its empty line. */
export type HeadReading<T> =
  | { readonly kind: "head"; readonly head: T; readonly size: number }
  | { readonly kind: "more" }
  | { readonly kind: "bad"; readonly detail: string };

const MORE = { kind: "more" } as const;
const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}) ([\x21-\x7e]+) HTTP\/(1\.[01])$/;
const STATUS_LINE = /^HTTP\/(1\.[01]) ([1-9][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?$/;
const FIELD_LINE =
  /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)[ \t]*$/;
const MAX_FIELDS = 512;
const TOO_MANY_FIELDS = "too many header fields";
/** As in the pattern of the request line. */
const MAX_METHOD = 64;

function bad(detail: string): { readonly kind: "bad"; readonly detail: string } {
  return { kind: "bad", detail };
}

/** Parses field lines; returns what is wrong with them, if anything is. */
export function parseFieldLines(
  lines: readonly string[],
  from: number,
  fields: Fields,
  spellings: string[],
): string | undefined {
  if (lines.length - from > MAX_FIELDS) return TOO_MANY_FIELDS;
  for (let i = from; i < lines.length; i++) {
    const match = FIELD_LINE.exec(lines[i]!);
    if (match === null) {
      const first = lines[i]!.charCodeAt(0);
      return first === 0x20 || first === 0x09
        ? "header field is folded over two lines"
        : "header field is malformed";
    }
    const name = match[1]!;
    spellings.push(name);
    fields.push([name.toLowerCase(), match[2]!]);
  }
  return undefined;
}

/**
 * What is wrong with the lines of a head that is not whole yet, if anything is: no need to wait for
 * its end, nor to look at ever more lines each time that a byte has come.
 */
function lineFault(bytes: Buffer): string | undefined {
  let lines = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) {
    if (at === 0 || bytes[at - 1] !== 13) return "line ends without a carriage return";
    if (++lines > MAX_FIELDS + 1) return TOO_MANY_FIELDS;
  }
  return undefined;
}

/** Most heads are shorter; looking for their end in a text is faster than in bytes. */
const USUAL_HEAD = 2_048;

function splitHead(bytes: Buffer, limit: number): HeadReading<string[]> {
  const start = bytes.toString("latin1", 0, Math.min(bytes.length, USUAL_HEAD));
  const inStart = start.indexOf("\r\n\r\n");
  const end = inStart >= 0 || bytes.length <= USUAL_HEAD
    ? inStart
    : bytes.indexOf("\r\n\r\n", USUAL_HEAD - 3, "latin1");
  if (end < 0) {
    if (bytes.length >= limit) return bad(`head is larger than ${limit} bytes`);
    const fault = lineFault(bytes);
    return fault === undefined ? MORE : bad(fault);
  }
  if (end + 4 > limit) return bad(`head is larger than ${limit} bytes`);
  const head = inStart >= 0 ? start.slice(0, end) : bytes.toString("latin1", 0, end);
  return { kind: "head", head: head.split("\r\n"), size: end + 4 };
}

/** What goes on without a space for so long is no request: no need to wait for its end. */
function isEndlessMethod(bytes: Buffer): boolean {
  return bytes.length > MAX_METHOD && !bytes.subarray(0, MAX_METHOD + 2).includes(32);
}

/** Reads the head of a request from the start of `bytes`. */
export function parseRequestHead(bytes: Buffer, limit: number): HeadReading<RequestHead> {
  // RFC 9112, 2.2: a server ignores an empty line before the request line.
  const skip = bytes.length >= 2 && bytes[0] === 13 && bytes[1] === 10 ? 2 : 0;
  const split = splitHead(skip === 0 ? bytes : bytes.subarray(skip), limit);
  if (split.kind === "more" && isEndlessMethod(bytes)) return bad("request line is malformed");
  if (split.kind !== "head") return split;
  const line = REQUEST_LINE.exec(split.head[0]!);
  if (line === null) return bad("request line is malformed");
  const fields: Fields = [];
  const spellings: string[] = [];
  const fault = parseFieldLines(split.head, 1, fields, spellings);
  if (fault !== undefined) return bad(fault);
  const version = line[3] as "1.0" | "1.1";
  const head = { method: line[1]!, target: line[2]!, version, fields, spellings };
  return { kind: "head", head, size: split.size + skip };
}

/** Reads the head of a response from the start of `bytes`. */
export function parseResponseHead(bytes: Buffer, limit: number): HeadReading<ResponseHead> {
  const split = splitHead(bytes, limit);
  if (split.kind !== "head") return split;
  const line = STATUS_LINE.exec(split.head[0]!);
  if (line === null) return bad("status line is malformed");
  const fields: Fields = [];
  const spellings: string[] = [];
  const fault = parseFieldLines(split.head, 1, fields, spellings);
  if (fault !== undefined) return bad(fault);
  const version = line[1] as "1.0" | "1.1";
  const head = { status: Number(line[2]), reason: line[3] ?? "", version, fields, spellings };
  return { kind: "head", head, size: split.size };
}

/** The one value of a field; `undefined` when it is absent, `null` when it is there twice. */
export function singleValue(fields: Fields, name: string): string | undefined | null {
  let found: string | undefined;
  for (const [key, value] of fields) {
    if (key !== name) continue;
    if (found !== undefined) return null;
    found = value;
  }
  return found;
}
