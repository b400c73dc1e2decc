/** HTTP/1.1 messages as they are written. */
import { Buffer } from "node:buffer";
import type { WholeAnswer } from "../http/answers.ts";
import type { FieldList } from "../http/exchange.ts";
import { reasonPhrase } from "./reason_phrase.ts";

const CRLF = Buffer.from("\r\n");
const LAST_CHUNK = Buffer.from("0\r\n\r\n");

/**
 * The bytes of a head, one for each character. Heads are ASCII but for rare field values, and
 * UTF-8 encodes ASCII several times faster than Latin-1 is encoded here.
 */
export function headBytes(text: string): Buffer {
  const bytes = Buffer.from(text);
  return bytes.length === text.length ? bytes : Buffer.from(text, "latin1");
}

/** Field lines, each with its line end. */
export function formatFields(fields: FieldList, spellings: readonly string[] | undefined): string {
  let text = "";
  for (let i = 0; i < fields.length; i++) {
    const [name, value] = fields[i]!;
    text += `${spellings?.[i] ?? name}: ${value}\r\n`;
  }
  return text;
}

/** One chunk of the chunked coding. */
export function chunkOf(piece: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, CRLF]);
}

/** The end of the chunked coding. */
export function lastChunk(trailers: FieldList): Buffer {
  if (trailers.length === 0) return LAST_CHUNK;
  return Buffer.from(`0\r\n${formatFields(trailers, undefined)}\r\n`, "latin1");
}

/** A whole response that ends its connection. */
export function formatLastAnswer({ status, fields, body }: WholeAnswer): Buffer {
  const head = `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n${
    formatFields(fields, undefined)
  }Connection: close\r\n\r\n`;
  return Buffer.concat([headBytes(head), body]);
}
