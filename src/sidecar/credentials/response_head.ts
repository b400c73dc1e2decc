import { headBytes } from "../../net/http1/format.ts";
import type { FieldList } from "../../net/http/exchange.ts";
import type { MaskTable } from "../../secrets/mask_table.ts";
import { Masker } from "../../secrets/masker.ts";
import { searched } from "./response_failure.ts";

/** A head without secrets. */
export interface MaskedHead {
  readonly reason: string | undefined;
  readonly fields: FieldList;
  readonly spellings: readonly string[] | undefined;
}

/** Neither the size of a content that is masked is known beforehand, nor its digest. */
const OF_THE_BYTES: ReadonlySet<string> = new Set([
  "content-digest",
  "content-length",
  "content-md5",
  "digest",
  "repr-digest",
  "x-goog-hash",
]);

/** Whether a field says something of the very bytes of a content. */
export function isOfTheBytes(name: string): boolean {
  return OF_THE_BYTES.has(name) || name.startsWith("x-amz-checksum-");
}

/** The head without the fields that `drop` names, and without secrets in what is left. */
export function maskedHead(
  head: MaskedHead,
  table: MaskTable,
  drop: (name: string) => boolean,
): MaskedHead {
  const kept = withoutFields(head, drop);
  const text = textOf(kept);
  if (table.isEmpty || maskedText(text, table) === text) return kept;
  const mask = (part: string) => maskedText(part, table);
  const spellings = kept.spellings?.map(mask);
  return {
    reason: kept.reason === undefined ? undefined : mask(kept.reason),
    fields: kept.fields.map(([name, value], i) => [
      spellings?.[i]?.toLowerCase() ?? mask(name),
      mask(value),
    ]),
    spellings,
  };
}

/** Trailers, or the fields of an interim response, without secrets. */
export function maskedFields(fields: FieldList, table: MaskTable): FieldList {
  if (fields.length === 0) return fields;
  return maskedHead({ reason: undefined, fields, spellings: undefined }, table, () => false).fields;
}

/** Everything that may hold a secret, one after the other, to be looked through at once. */
function textOf({ reason, fields, spellings }: MaskedHead): string {
  let text = `${reason ?? ""}\n`;
  for (let i = 0; i < fields.length; i++) {
    text += `${spellings?.[i] ?? fields[i]![0]}\n${fields[i]![1]}\n`;
  }
  return text;
}

let table: MaskTable;
/** One for all heads: they are searched whole, one after the other. */
let heads = new Masker(() => table);

/** A text of Latin-1 characters, as field values are. */
function maskedText(text: string, known: MaskTable): string {
  table = known;
  const before = heads.replaced;
  try {
    return searched(() => {
      const first = heads.push(headBytes(text));
      const start = heads.replaced === before
        ? text.slice(0, first.length)
        : first.toString("latin1");
      const last = heads.end();
      return heads.replaced === before ? text : start + last.toString("latin1");
    });
  } catch (error) {
    heads = new Masker(() => table);
    throw error;
  }
}

function withoutFields(head: MaskedHead, drop: (name: string) => boolean): MaskedHead {
  const { reason, fields, spellings } = head;
  if (!fields.some(([name]) => drop(name))) return head;
  return {
    reason,
    fields: fields.filter(([name]) => !drop(name)),
    spellings: spellings?.filter((_, i) => !drop(fields[i]![0])),
  };
}
