/** Which header fields cross the Sidecar (RFC 9110, 7.6.1). */
import type { FieldList } from "./exchange.ts";

/** Fields with their spelling, ready to be sent. */
export interface SentFields {
  readonly fields: [string, string][];
  /** By index of `fields`; absent where the spelling was not kept. */
  readonly spellings: string[] | undefined;
}

/** Names that never cross, whatever `Connection` says. */
function isHopByHop(name: string): boolean {
  switch (name) {
    case "connection":
    case "keep-alive":
    case "te":
    case "transfer-encoding":
    case "upgrade":
    case "http2-settings":
      return true;
  }
  return name.startsWith("proxy-") || name.startsWith("x-firma-");
}

function connectionOptions(fields: FieldList): Set<string> | undefined {
  let options: Set<string> | undefined;
  for (const [name, value] of fields) {
    if (name !== "connection") continue;
    options ??= new Set();
    for (const option of value.split(",")) options.add(option.trim().toLowerCase());
  }
  return options;
}

/** A field that is there, and that `Connection` keeps from crossing though others like it cross. */
export function keptBack(fields: FieldList): string | undefined {
  const options = connectionOptions(fields);
  if (options === undefined) return undefined;
  return fields.find(([name]) => options.has(name) && !isHopByHop(name))?.[0];
}

/** Copies the end-to-end fields, without those that `drop` names. */
export function endToEnd(
  fields: FieldList,
  spellings: readonly string[] | undefined,
  drop: (name: string) => boolean,
): SentFields {
  const options = connectionOptions(fields);
  const kept: [string, string][] = [];
  const keptSpellings: string[] | undefined = spellings === undefined ? undefined : [];
  for (let i = 0; i < fields.length; i++) {
    const [name, value] = fields[i]!;
    if (isHopByHop(name) || drop(name) || options?.has(name) === true) continue;
    kept.push([name, value]);
    keptSpellings?.push(spellings![i]!);
  }
  return { fields: kept, spellings: keptSpellings };
}

/** Whether a list-valued field holds `member`, whatever its case and parameters. */
export function listHas(fields: FieldList, field: string, member: string): boolean {
  for (const [name, value] of fields) {
    if (name !== field) continue;
    for (const item of value.split(",")) {
      if (item.split(";", 1)[0]!.trim().toLowerCase() === member) return true;
    }
  }
  return false;
}

/** Fields that no trailer may carry (RFC 9110, 6.5.1): they frame, route or authenticate a message. */
const NOT_IN_TRAILERS: ReadonlySet<string> = new Set([
  "authorization",
  "content-encoding",
  "content-length",
  "content-range",
  "content-type",
  "cookie",
  "expect",
  "host",
  "set-cookie",
  "trailer",
]);

/** The trailer fields that cross. */
export function endToEndTrailers(trailers: FieldList): [string, string][] {
  if (trailers.length === 0) return [];
  return endToEnd(trailers, undefined, (name) => NOT_IN_TRAILERS.has(name)).fields;
}
