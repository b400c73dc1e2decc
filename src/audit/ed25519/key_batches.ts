import { type Address, Arithmetic } from "./arithmetic.ts";
import { BASE, decodePoint, isOfSmallOrder, P } from "./curve.ts";
import { ELEMENT_BYTES } from "./field_code.ts";
import { PointTable, TABLE_ELEMENTS } from "./point_table.ts";
import { type BatchTools, POINTS_ELEMENTS, SignatureBatch } from "./signature_batch.ts";

/** How many keys have tables at a time: a log has one or two. */
const KEYS = 4;
/** After so many signatures of a key, what its table takes is soon won back. */
const WORTH_TABLE = 1_000;

/** What all keys share. */
interface Tools extends BatchTools {
  /** Where the tables of keys begin. */
  readonly tables: Address;
}

/** A key, and what is known of it so far. */
interface Signer {
  readonly publicKey: string;
  /** Where its table belongs. */
  readonly slot: number;
  signatures: number;
  /** Multiples of the key's negative; `undefined`: not yet; `null`: there will be none. */
  table?: PointTable | null;
}

/** Tables for the keys that have signed much, and batches that work with them. */
export class KeyBatches {
  readonly #worthTable: number;
  /** Those asked for last are last. */
  readonly #signers: Signer[] = [];
  /** `undefined`: not yet; `null`: WebAssembly does not do here. */
  #tools?: Tools | null;

  constructor(worthTable: number = WORTH_TABLE) {
    this.#worthTable = worthTable;
  }

  /**
   * Hears that another implementation accepted a signature of a key, and gives an empty batch for
   * more of them, once there were so many that it is worth its time; it has to be used up before
   * the next one is asked for. Never for a key that is not encoded in the one form that everybody
   * takes, nor for one of small order, of which implementations think differently.
   */
  after(publicKey: Uint8Array): SignatureBatch | undefined {
    const signer = this.#signer(publicKey.toHex());
    if (++signer.signatures < this.#worthTable) return undefined;
    if (this.#tools === undefined) this.#tools = makeTools();
    if (this.#tools === null) return undefined;
    if (signer.table === undefined) signer.table = tableOf(publicKey, signer.slot, this.#tools);
    return signer.table === null
      ? undefined
      : new SignatureBatch(this.#tools, signer.table, publicKey);
  }

  #signer(publicKey: string): Signer {
    const signers = this.#signers;
    const at = signers.findIndex((signer) => signer.publicKey === publicKey);
    if (at >= 0) {
      const [known] = signers.splice(at, 1);
      signers.push(known!);
      return known!;
    }
    const slot = signers.length < KEYS ? signers.length : signers.shift()!.slot;
    const signer = { publicKey, slot, signatures: 0 };
    signers.push(signer);
    return signer;
  }
}

function tableOf(
  publicKey: Uint8Array,
  slot: number,
  { arithmetic, tables }: Tools,
): PointTable | null {
  const point = decodePoint(publicKey);
  if (point === undefined || isOfSmallOrder(point)) return null;
  const entries = tables + slot * TABLE_ELEMENTS * ELEMENT_BYTES;
  return new PointTable(arithmetic, entries, { x: P - point.x, y: point.y });
}

function makeTools(): Tools | null {
  try {
    const arithmetic = new Arithmetic(POINTS_ELEMENTS + (1 + KEYS) * TABLE_ELEMENTS);
    const points = arithmetic.allocate(POINTS_ELEMENTS);
    const base = new PointTable(arithmetic, arithmetic.allocate(TABLE_ELEMENTS), BASE);
    return { arithmetic, points, base, tables: arithmetic.allocate(KEYS * TABLE_ELEMENTS) };
  } catch {
    // no vectors, or no WebAssembly at all
    return null;
  }
}
