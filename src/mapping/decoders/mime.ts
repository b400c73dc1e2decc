import { err, ok, type Result } from "../../core/result.ts";
import type { Headers } from "./decoder.ts";
import { latin1 } from "./text.ts";

/** Headers and content of a MIME entity; the content one character a byte. */
export interface Entity {
  readonly headers: Headers;
  readonly content: string;
}

const MOST_HEADERS = 1_000;

/**
 * Splits a header block from what follows it (RFC 5322, 2.2). Lines end with CR LF, LF
 * or CR, for readers differ; continued lines are joined. Lines that are no header
 * are an error.
 */
export function parseEntity(text: string): Result<Entity, string> {
  const headers: [string, string][] = [];
  const line = /([^\r\n]*)(\r\n|\n|\r|$)/y;
  for (;;) {
    const at = line.lastIndex;
    const match = line.exec(text)!;
    const [, content, end] = match as unknown as [string, string, string];
    if (content === "") return ok({ headers, content: text.slice(line.lastIndex) });
    if (/^[ \t]/.test(content)) {
      const last = headers.at(-1);
      if (last === undefined) return err("its headers begin with a continued line");
      last[1] += ` ${content.trim()}`;
    } else {
      const header = /^([!-9;-~]+)[ \t]*:(.*)$/.exec(content);
      if (header === null) return err("a line of its headers is none");
      headers.push([header[1]!.toLowerCase(), header[2]!.trim()]);
      if (headers.length > MOST_HEADERS) return err("it has too many headers");
    }
    if (end === "" || line.lastIndex === at) return ok({ headers, content: "" });
  }
}

/**
 * The parts of a multipart body (RFC 2046, 5.1). The boundary must occur nowhere but
 * where it divides, and nothing may stand before the first part or after the last:
 * readers that are more or less strict then see the same parts.
 */
export function parseMultipart(
  body: Uint8Array,
  boundary: string | undefined,
  most: number,
): Result<readonly Entity[], string> {
  if (
    boundary === undefined ||
    !/^[\w'()+,./:=?-](?:[\w'()+,./:=? -]{0,68}[\w'()+,./:=?-])?$/.test(boundary)
  ) {
    return err("it has no boundary");
  }
  const pieces = latin1(body).split(`--${boundary}`);
  if (pieces.length > most + 2) return err(`it has more than ${most} parts`);
  const [before, ...parts] = pieces;
  const last = parts.pop();
  if (last === undefined || !/^--\s*$/.test(last)) return err("it does not end with its boundary");
  if (before!.trim() !== "") return err("there is something before its first part");
  const entities: Entity[] = [];
  for (const [index, part] of parts.entries()) {
    const inner = /^[ \t]*\r?\n([^]*?)(?:\r?\n)$/.exec(part);
    if (inner === null) return err("its boundary is within a part");
    // Each boundary but the first must begin a line, which the line end above says.
    if (index === 0 && !/(?:^|\n)$/.test(before!)) return err("its boundary is within a line");
    const entity = parseEntity(inner[1]!);
    if (!entity.ok) return entity;
    entities.push(entity.value);
  }
  return entities.length > 0 ? ok(entities) : err("it has no parts");
}

/** The bytes of text that has one character a byte. */
export function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
