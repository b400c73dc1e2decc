import { ELEMENT_BYTES, LIMB_BITS, multiply, PLACES, reduce, wordAt } from "./field_code.ts";
import { FIRST_FREE, NIELS_FACTORS, pointFunctions } from "./point_code.ts";
import { D } from "./curve.ts";
import { wasmModule } from "./wasm_module.ts";

/** Place of an element in the memory: of four numbers, or of a point. */
export type Address = number;

type Operation = (...addresses: Address[]) => void;

const LANES = 4;
const Y = 1, Z = 2;
const PAGE_BYTES = 65_536;
const LIMB_MASK = 2n ** BigInt(LIMB_BITS) - 1n;

/** The functions that `field_code.ts` and `point_code.ts` describe, and the memory they work on. */
export class Arithmetic {
  readonly multiply: Operation;
  readonly reduce: Operation;
  readonly niels: Operation;
  readonly add: Operation;
  readonly subtract: Operation;
  /** The memory; `wordAt` says where in it a number lies. */
  readonly words: Int32Array;
  #free = FIRST_FREE;

  /** Has room for so many elements. */
  constructor(elements: number) {
    const bytes = FIRST_FREE + elements * ELEMENT_BYTES;
    const functions = [multiply, reduce, ...pointFunctions(0)];
    const module = new WebAssembly.Module(wasmModule(functions, Math.ceil(bytes / PAGE_BYTES)));
    const { exports } = new WebAssembly.Instance(module);
    this.words = new Int32Array((exports.memory as WebAssembly.Memory).buffer);
    this.multiply = exports.multiply as Operation;
    this.reduce = exports.reduce as Operation;
    this.niels = exports.niels as Operation;
    this.add = exports.add as Operation;
    this.subtract = exports.subtract as Operation;
    this.write(NIELS_FACTORS, [1n, 1n, 2n * D, 2n]);
  }

  /** Takes room for so many elements, one behind the other. */
  allocate(elements: number): Address {
    const address = this.#free;
    this.#free += elements * ELEMENT_BYTES;
    return address;
  }

  /** Writes the neutral point. */
  setNeutral(to: Address): void {
    const first = wordAt(to, 0, 0);
    this.words.fill(0, first, first + ELEMENT_BYTES / 4);
    this.words[first + Y] = this.words[first + Z] = 1;
  }

  /** Copies an element. */
  copy(to: Address, from: Address): void {
    this.words.copyWithin(to >> 2, from >> 2, (from + ELEMENT_BYTES) >> 2);
  }

  /** Writes the number in one lane of an element into all lanes of another. */
  spread(to: Address, from: Address, lane: number): void {
    for (const place of PLACES) {
      const limb = this.words[wordAt(from, place, lane)]!;
      for (let other = 0; other < LANES; other++) this.words[wordAt(to, place, other)] = limb;
    }
  }

  /** Writes four numbers below 2^261. */
  write(to: Address, numbers: readonly bigint[]): void {
    numbers.forEach((number, lane) => {
      for (const place of PLACES) {
        const limb = (number >> BigInt(LIMB_BITS * place)) & LIMB_MASK;
        this.words[wordAt(to, place, lane)] = Number(limb);
      }
    });
  }
}
