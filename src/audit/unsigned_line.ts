import type { ExecutionEvent } from "../core/event.ts";
import { isPlainName, NOT_SORTABLE, sortMembers } from "./canonical_json.ts";

/** What is signed of a line. */
export interface UnsignedLine {
  /** The canonical form without `signature`. */
  readonly text: string;
  /** Where `signature` belongs: behind the member before it, in UTF-16 code units. */
  readonly split: number;
}

/** How objects that list the same members in the same order are written. */
interface Form {
  /** As the objects list them. */
  readonly names: readonly string[];
  /** In canonical order. */
  readonly sorted: readonly string[];
  /** An object in canonical order, filled anew for each one that is written: making one costs more. */
  readonly filled: Record<string, unknown>;
  /** By place in `sorted`: the forms of objects that stood there. */
  readonly below: Form[][];
}

/** The form of an event, with what its line has besides. */
interface EventForm extends Form {
  /** The members behind the signature, in canonical order, and how their text begins. */
  readonly after: readonly (readonly [name: string, beginning: string])[];
}

/** Events of one kind mostly list the same members. */
const eventForms = new Map<string, EventForm[]>();
let formCount = 0;

/** Names and nesting are an agent's to choose in part: what is remembered of them has an end. */
const FORMS_LIMIT = 256;
const FORMS_A_PLACE = 4;
const MOST_MEMBERS = 64;
const LONGEST_NAME = 64;
const MAX_DEPTH = 8;
/** Forms hold on to the values of the last event; those of a longer one are let go. */
const LONGEST_KEPT = 16_384;

/** Names that nothing within a string can be taken for. */
const EVENT_NAME = /^[A-Za-z_]\w*$/;

/**
 * The canonical form of an event with what its line has besides but its signature; `undefined` where
 * anything about it is out of the ordinary, which `canonicalJson` is for.
 */
export function unsignedLine(
  event: ExecutionEvent,
  seq: number,
  prev: string,
): UnsignedLine | undefined {
  const line = write(event, seq, prev);
  if (line === undefined || line.text.length > LONGEST_KEPT || formCount > FORMS_LIMIT) {
    eventForms.clear();
    formCount = 0;
  }
  return line;
}

function write(event: ExecutionEvent, seq: number, prev: string): UnsignedLine | undefined {
  const members = event as unknown as Readonly<Record<string, unknown>>;
  const form = eventForm(members, event.kind);
  if (form === undefined || !fill(form, members, 0)) return undefined;
  const { filled } = form;
  filled.seq = seq;
  filled.prev = prev;
  const text = JSON.stringify(filled);
  // The escape of a lone surrogate, or something that looks like it.
  if (text.includes("\\ud")) return undefined;
  let beginning: string | undefined;
  for (const [name, text] of form.after) {
    const member = filled[name];
    if (typeof member === "object" && member !== null) return undefined;
    if (member !== undefined) beginning ??= text;
  }
  // Within a string a quotation mark is escaped, and behind the signature there is no other object.
  const split = beginning === undefined ? text.length - 1 : text.lastIndexOf(beginning);
  return { text, split };
}

function eventForm(members: Readonly<Record<string, unknown>>, kind: string) {
  const names = Object.keys(members);
  let forms = eventForms.get(kind);
  const known = forms?.find((form) => isOf(form, names));
  if (known !== undefined || !names.every((name) => EVENT_NAME.test(name))) return known;
  const listed = new Set([...names, "seq", "prev"]);
  listed.delete("signature");
  const made = newForm(names, [...listed]);
  if (made === undefined) return undefined;
  const after = made.sorted.filter((name) => name > "signature");
  const form = { ...made, after: after.map((name) => [name, `,"${name}":`] as const) };
  if (forms === undefined) eventForms.set(kind, forms = []);
  return remember(forms, form);
}

/** Whether an object that lists these names is of this form. */
function isOf(form: Form, names: readonly string[]): boolean {
  const known = form.names;
  if (known.length !== names.length) return false;
  for (let i = 0; i < names.length; i++) if (known[i] !== names[i]) return false;
  return true;
}

function newForm(names: readonly string[], written: readonly string[]): Form | undefined {
  if (written.length > MOST_MEMBERS) return undefined;
  const filled: Record<string, unknown> = {};
  const sorted = [...written].sort();
  for (const name of sorted) {
    if (!isPlainName(name) || name === "toJSON" || name.length > LONGEST_NAME) return undefined;
    filled[name] = undefined;
  }
  return { names, sorted, filled, below: sorted.map(() => []) };
}

function remember<F extends Form>(forms: F[], form: F): F {
  formCount++;
  if (forms.length === FORMS_A_PLACE) forms.shift();
  forms.push(form);
  return form;
}

/** Puts the members of an object into its form; `false` for one that has no canonical form so. */
function fill(form: Form, members: Readonly<Record<string, unknown>>, depth: number): boolean {
  const { sorted, filled, below } = form;
  for (let i = 0; i < sorted.length; i++) {
    const name = sorted[i]!;
    let member = members[name];
    if (typeof member !== "string" && member !== undefined) {
      member = typeof member === "object" && member !== null && depth < MAX_DEPTH
        ? inForm(member, below[i]!, depth + 1)
        : sortMembers(member, depth + 1);
      if (member === NOT_SORTABLE) return false;
    }
    filled[name] = member;
  }
  return true;
}

function inForm(object: object, forms: Form[], depth: number): unknown {
  if (Array.isArray(object) || Object.getPrototypeOf(object) !== Object.prototype) {
    return sortMembers(object, depth);
  }
  const names = Object.keys(object);
  let form = forms.find((known) => isOf(known, names));
  if (form === undefined) {
    const made = newForm(names, names);
    if (made === undefined) return sortMembers(object, depth);
    form = remember(forms, made);
  }
  const isFilled = fill(form, object as Readonly<Record<string, unknown>>, depth);
  return isFilled ? form.filled : NOT_SORTABLE;
}
