import { err, ok, type Result } from "../../core/result.ts";
import { quote } from "../malformed.ts";
import type { Headers } from "./decoder.ts";

/** A media type (RFC 9110, 8.3.1), names and type in lower case. */
export interface MediaType {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const TYPE = new RegExp(`^(${TOKEN}/${TOKEN})((?:\\s*;.*)?)$`, "s");
const PARAMETER = new RegExp(
  `\\s*;\\s*(?:(${TOKEN})=(?:(${TOKEN})|"((?:[^"\\\\\\r\\n]|\\\\.)*)"))?`,
  "y",
);

/** The one value of a header; the error says what is wrong: given twice. */
export function singleHeader(headers: Headers, name: string): Result<string | undefined, string> {
  const values = headers.filter(([other]) => other === name);
  if (values.length > 1) return err(`${name} is given ${values.length} times`);
  return ok(values[0]?.[1].trim());
}

/** Reads a media type, or says why it is none. */
export function parseMediaType(text: string): Result<MediaType, string> {
  const match = TYPE.exec(text.trim());
  if (match === null) return err(`${quote(text)} is not a media type`);
  const parameters = new Map<string, string>();
  const rest = match[2]!.trimEnd();
  for (let at = 0; at < rest.length; at = PARAMETER.lastIndex) {
    PARAMETER.lastIndex = at;
    const parameter = PARAMETER.exec(rest);
    if (parameter === null) return err(`${quote(text)} is not a media type`);
    const name = parameter[1]?.toLowerCase();
    if (name === undefined) continue;
    if (parameters.has(name)) return err(`${quote(text)} has a parameter twice`);
    parameters.set(name, parameter[2] ?? parameter[3]!.replace(/\\(.)/g, "$1"));
  }
  return ok({ type: match[1]!.toLowerCase(), parameters });
}

/** The media type of a body, or why it cannot be told. */
export function contentType(headers: Headers): Result<MediaType | undefined, string> {
  const header = singleHeader(headers, "content-type");
  if (!header.ok) return header;
  return header.value === undefined || header.value === ""
    ? ok(undefined)
    : parseMediaType(header.value);
}

/** Checks that a body is of one of these types, and text of it in UTF-8; returns which. */
export function expectType(headers: Headers, types: readonly string[]): Result<MediaType, string> {
  const found = contentType(headers);
  if (!found.ok) return found;
  const { value } = found;
  if (value === undefined) return err(`no Content-Type, it must be ${types.join(" or ")}`);
  if (!types.includes(value.type)) {
    return err(`Content-Type ${quote(value.type)}, it must be ${types.join(" or ")}`);
  }
  const charset = value.parameters.get("charset");
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) {
    return err(`charset ${quote(charset)}, it must be UTF-8`);
  }
  return ok(value);
}
