import { Buffer } from "node:buffer";
import { formsOf, type KnownSecret, type MaskForm } from "./mask_forms.ts";

/** How many of the first characters of a form lead to it. */
export const LEADING = 8;
/**
 * Of the words of four bytes that begin at neighbouring places, so many are known of each form: four
 * because one in four is looked at, the fifth for what follows an escape.
 */
const SAMPLED = 5;
const MULTIPLIER = 0x9e3779b1;

interface Variant {
  readonly first: number;
  /** What follows the first character. */
  readonly rest: string;
  readonly form: number;
}

/**
 * Everything that is looked for, sorted, with what tells quickly that it is not there. Never
 * changes.
 */
export class MaskTable {
  readonly forms: readonly MaskForm[];
  /** Sorted texts, each first byte apart, shorter ones before what they begin. */
  readonly count: number;
  readonly first: Uint8Array;
  /** Bytes of all texts; of text `i`, byte `depth > 0` is at `offset[i] + depth`. */
  readonly bytes: Uint8Array;
  readonly offset: Int32Array;
  readonly length: Int32Array;
  readonly formOf: Int32Array;
  /** Texts with first byte `b` are those from `firstIndex[b]` to `firstIndex[b + 1]`. */
  readonly firstIndex: Int32Array;
  /** By hash of four bytes: a bit for each place in a text where they stand. */
  readonly grams: Uint8Array;
  readonly gramShift: number;
  /** A bit for each two bytes that some text begins with. */
  readonly pairs: Uint8Array;
  /** By byte: a bit for each of the leading places where some text has it. */
  readonly places: Uint8Array;

  /** Of secrets; see {@linkcode formsOf} for what each looks like. */
  static of(secrets: Iterable<KnownSecret>): MaskTable {
    return new MaskTable([...secrets].flatMap(formsOf));
  }

  constructor(forms: readonly MaskForm[]) {
    this.forms = forms;
    const variants = sortedVariants(this.forms);
    this.count = variants.length;
    this.first = new Uint8Array(variants.length);
    this.offset = new Int32Array(variants.length);
    this.length = new Int32Array(variants.length);
    this.formOf = new Int32Array(variants.length);
    this.firstIndex = new Int32Array(257);
    this.pairs = new Uint8Array(8_192);
    this.places = new Uint8Array(256);
    this.bytes = this.#fill(variants);
    const bits = Math.min(18, Math.max(10, Math.ceil(Math.log2(1 + this.forms.length * 160))));
    this.gramShift = 32 - bits;
    this.grams = new Uint8Array(1 << bits);
    for (const form of this.forms) this.#addGrams(form);
  }

  /** Whether there is anything to look for. */
  get isEmpty(): boolean {
    return this.count === 0;
  }

  #fill(variants: readonly Variant[]): Uint8Array {
    // Texts that differ in their first character alone share what follows it.
    const places = new Map<string, number>();
    const texts: string[] = [];
    let size = 0;
    for (const [index, { first, rest, form }] of variants.entries()) {
      let place = places.get(rest);
      if (place === undefined) {
        places.set(rest, place = size);
        texts.push(rest);
        size += rest.length;
      }
      this.first[index] = first;
      this.offset[index] = place - 1;
      this.length[index] = rest.length + 1;
      this.formOf[index] = form;
      this.firstIndex[first + 1]! = index + 1;
      const pair = (first << 8) | rest.charCodeAt(0);
      this.pairs[pair >> 3]! |= 1 << (pair & 7);
      this.places[first]! |= 1;
      for (let at = 1; at < LEADING; at++) this.places[rest.charCodeAt(at - 1)]! |= 1 << at;
    }
    for (let byte = 1; byte <= 256; byte++) {
      if (this.firstIndex[byte] === 0) this.firstIndex[byte] = this.firstIndex[byte - 1]!;
    }
    return Buffer.from(texts.join(""), "latin1");
  }

  #addGrams({ core, heads }: MaskForm): void {
    const skip = heads === "" ? 0 : 1;
    for (let at = 0; at < SAMPLED; at++) {
      const word = core.charCodeAt(at) | core.charCodeAt(at + 1) << 8 |
        core.charCodeAt(at + 2) << 16 | core.charCodeAt(at + 3) << 24;
      this.grams[Math.imul(word, MULTIPLIER) >>> this.gramShift]! |= 1 << (at + skip);
    }
  }
}

/** The place of four bytes, the first one lowest, in the hash table of a {@linkcode MaskTable}. */
export function gramIndex(word: number, shift: number): number {
  return Math.imul(word, MULTIPLIER) >>> shift;
}

/** Each form once for each first character it may have. */
function sortedVariants(forms: readonly MaskForm[]): Variant[] {
  const variants: Variant[] = [];
  for (const [form, { core, heads }] of forms.entries()) {
    const rest = heads === "" ? core.slice(1) : core;
    for (const first of heads === "" ? core[0]! : heads) {
      variants.push({ first: first.charCodeAt(0), rest, form });
    }
  }
  return variants.sort((a, b) =>
    a.first - b.first || (a.rest < b.rest ? -1 : a.rest > b.rest ? 1 : a.form - b.form)
  );
}
