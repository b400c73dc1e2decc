/** Header fields between firma's form and that of `node:http2`. */
import type { Http2Stream, IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import { endToEndTrailers } from "../end_to_end.ts";
import type { FieldList } from "../exchange.ts";

/** The fields of a message without pseudo-header fields, in order where `raw` tells it. */
export function fieldsOf(
  headers: IncomingHttpHeaders,
  raw?: readonly string[],
): [string, string][] {
  const fields: [string, string][] = [];
  if (raw !== undefined) {
    for (let i = 0; i + 1 < raw.length; i += 2) {
      const name = raw[i]!;
      if (!name.startsWith(":")) fields.push([name, raw[i + 1]!]);
    }
    return fields;
  }
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(":") || value === undefined) continue;
    for (const item of Array.isArray(value) ? value : [value]) fields.push([name, item]);
  }
  return fields;
}

/** Adds fields to `headers`; those that are repeated become lists. */
export function addFields(headers: OutgoingHttpHeaders, fields: FieldList): OutgoingHttpHeaders {
  for (const [name, value] of fields) {
    const present = headers[name];
    if (present === undefined) headers[name] = value;
    else if (Array.isArray(present)) present.push(value);
    else headers[name] = [String(present), value];
  }
  return headers;
}

/** Ends a stream that has sent its body with the trailer fields that may cross. */
export function sendTrailers(stream: Http2Stream, trailers: FieldList): void {
  if (stream.destroyed || stream.closed) return;
  stream.sendTrailers(addFields({}, endToEndTrailers(trailers)));
}
