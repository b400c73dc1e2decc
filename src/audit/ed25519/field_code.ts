/**
 * Arithmetic modulo p = 2^255 - 19 on four numbers at once, in instructions of WebAssembly.
 *
 * A number is nine limbs of 29 bits, x = x0 + x1·2^29 + … + x8·2^232, which is room for 261 bits: a
 * product is folded by 2^261 ≡ 64·19 = 1216. An element is nine vectors; in each, the four lanes
 * hold one limb of four numbers. A number is called tight when each limb is below 2^29 + 2^16, as
 * each product is; it stands for a residue, and is the least such number only where it says so.
 */
import {
  ADD_32,
  ADD_64,
  AND,
  type Code,
  get,
  lanes,
  load,
  MULTIPLY_LOWER,
  MULTIPLY_UPPER,
  set,
  shiftLeft32,
  shiftLeft64,
  shiftRight32,
  shiftRight64,
  shuffle,
  store,
  tee,
  type WasmFunction,
} from "./wasm_module.ts";

export const LIMBS = 9;
export const LIMB_BITS = 29;
const VECTOR_BYTES = 16;
/** What an element takes in memory. */
export const ELEMENT_BYTES = LIMBS * VECTOR_BYTES;

const LIMB_MASK = 2 ** LIMB_BITS - 1;

/** The limbs' places, the lowest first. */
export const PLACES = Array.from({ length: LIMBS }, (_, place) => place);
/** How many bits the limb in each place has of a number below 2^255. */
export const PLACE_BITS = PLACES.map((place) => Math.min(LIMB_BITS, 255 - LIMB_BITS * place));

/** Which 32-bit word of the memory holds the limb in a place of the number in a lane. */
export function wordAt(address: number, place: number, lane: number): number {
  return (address >> 2) + 4 * place + lane;
}

/** The limb in a place of the element at an address. */
export const limb = (address: Code, place: number): Code => [
  address,
  load(VECTOR_BYTES * place),
];

/** Writes a limb into a place of the element at an address. */
export const storeLimb = (address: Code, place: number, value: Code): Code => [
  address,
  value,
  store(VECTOR_BYTES * place),
];

/** Four times the same. */
export const all = (value: number): Code => lanes([value, value, value, value]);

/** 1216 times a local: what 2^261 times it comes to. */
const folded = (local: number, shiftLeft: (bits: number) => Code, add: Code): Code => [
  [get(local), shiftLeft(10)],
  [get(local), shiftLeft(7), add],
  [get(local), shiftLeft(6), add],
];

/**
 * `multiply(out, one, other)`, which may be the same. Nine products of limbs, and 2^42 for what is
 * carried and folded, must stay below 2^64: so it is when the one has limbs below 2^31 and the other
 * is tight. The product is tight.
 *
 * Schoolbook multiplication, two numbers at a time: first the columns from 2^261 on, the lowest
 * first, so that each of their limbs is below 2^29 when it is folded; then those below.
 */
export const multiply: WasmFunction = (() => {
  const [out, one, other, carry, mask, lower, upper] = [0, 1, 2, 3, 4, 5, 5 + LIMBS];
  const folded64 = (local: number): Code => folded(local, shiftLeft64, ADD_64);
  const product = (limbs: number, multiplyLanes: Code): Code => {
    const column = (sum: number): Code =>
      PLACES.filter((place) => sum - place >= 0 && sum - place < LIMBS).map((place, index) => [
        [limb(get(one), place), limb(get(other), sum - place), multiplyLanes],
        index > 0 ? ADD_64 : [],
      ]);
    /** Keeps what belongs into a limb of the column on the stack, and carries the rest. */
    const split = (place: number): Code => [
      [tee(carry), get(mask), AND, set(limbs + place)],
      [get(carry), shiftRight64(LIMB_BITS), set(carry)],
    ];
    const carried = (place: number): Code => place > 0 ? [get(carry), ADD_64] : [];
    return [
      PLACES.slice(1).map((_, place) => [column(LIMBS + place), carried(place), split(place)]),
      [get(carry), set(limbs + LIMBS - 1)],
      PLACES.map((place) => [
        [column(place), folded64(limbs + place), ADD_64],
        [carried(place), split(place)],
      ]),
      [get(limbs), folded64(carry), ADD_64, split(0)],
      [get(limbs + 1), get(carry), ADD_64, set(limbs + 1)],
    ];
  };
  return {
    name: "multiply",
    parameters: 3,
    vectors: 2 + 2 * LIMBS,
    body: [
      [lanes([LIMB_MASK, 0, LIMB_MASK, 0]), set(mask)],
      product(lower, MULTIPLY_LOWER),
      product(upper, MULTIPLY_UPPER),
      PLACES.map((place) =>
        storeLimb(get(out), place, [get(lower + place), get(upper + place), shuffle([0, 2, 4, 6])])
      ),
    ],
  };
})();

/**
 * Carries from limb to limb all at once, of limbs below 2^32 in locals; a limb is below 2^29 + 2^14
 * afterwards.
 */
export function carryOnce(limbs: number, carry: number): Code {
  const kept = (place: number): Code => [get(limbs + place), all(LIMB_MASK), AND];
  const over = (place: number): Code => [get(limbs + place), shiftRight32(LIMB_BITS)];
  // From the top, so that no limb is cut before what is over of it has gone on.
  return [
    [over(LIMBS - 1), set(carry)],
    PLACES.slice(1).reverse().map((place) => [
      [kept(place), over(place - 1), ADD_32, set(limbs + place)],
    ]),
    [kept(0), folded(carry, shiftLeft32, ADD_32), ADD_32, set(limbs)],
  ];
}

/**
 * `reduce(out, element)`: the least numbers that are congruent to tight ones.
 */
export const reduce: WasmFunction = (() => {
  const [out, element, carry, limbs] = [0, 1, 2, 3];
  /** Carries from limb to limb; what is left at the end is what belongs at 2^255 and above. */
  const carryThrough: Code = PLACES.map((place) => {
    const bits = PLACE_BITS[place]!;
    return [
      place > 0 ? [get(limbs + place), get(carry), ADD_32, set(limbs + place)] : [],
      [get(limbs + place), shiftRight32(bits), set(carry)],
      [get(limbs + place), all(2 ** bits - 1), AND, set(limbs + place)],
    ];
  });
  /** Adds 19 times what was carried: 2^255 ≡ 19. */
  const addFolded: Code = [
    [get(limbs), get(carry), ADD_32],
    [get(carry), shiftLeft32(4), ADD_32, get(carry), shiftLeft32(1), ADD_32, set(limbs)],
  ];
  return {
    name: "reduce",
    parameters: 2,
    vectors: 1 + LIMBS,
    body: [
      PLACES.map((place) => [limb(get(element), place), set(limbs + place)]),
      // Below 2^261 + 2^47, so below 2^255 + 2^14 after once, and below 2^255 after twice.
      [carryThrough, addFolded, carryThrough, addFolded],
      // x is p or more exactly if x + 19 is 2^255 or more; then x - p = x + 19 - 2^255.
      [get(limbs), all(19), ADD_32, set(carry)],
      PLACES.map((place) => [
        place > 0 ? [get(limbs + place), get(carry), ADD_32, set(carry)] : [],
        [get(carry), shiftRight32(PLACE_BITS[place]!), set(carry)],
      ]),
      [addFolded, carryThrough],
      PLACES.map((place) => storeLimb(get(out), place, get(limbs + place))),
    ],
  };
})();
