/**
 * Points of the twisted Edwards curve -x² + y² = 1 + d·x²·y² (RFC 8032, 5.1), in instructions of
 * WebAssembly: the formulas of Hisil, Wong, Carter and Dawson, "Twisted Edwards Curves Revisited"
 * (2008), section 4.2, for four processors, which are the four lanes of a vector here.
 *
 * A point is in extended coordinates, in the lanes X, Y, Z, T, with x = X/Z, y = Y/Z and
 * x·y = T/Z. A point to be added to it is in Niels form, in the lanes Y-X, Y+X, 2d·T, 2Z. Because d
 * is not a square, the formulas hold for every two points, equal and neutral ones too.
 */
import { all, carryOnce, ELEMENT_BYTES, limb, LIMBS, PLACES, storeLimb } from "./field_code.ts";
import {
  ADD_32,
  call,
  type Code,
  get,
  integer,
  lanes,
  set,
  shuffle,
  type WasmFunction,
  XOR,
} from "./wasm_module.ts";

/** Where in the memory the functions work. */
const LEFT = 0;
const RIGHT = ELEMENT_BYTES;
/** Where 1, 1, 2d, 2 have to stand: what makes Niels form of Y-X, Y+X, T, Z. */
export const NIELS_FACTORS = 2 * ELEMENT_BYTES;
/** Up to here, the memory is theirs. */
export const FIRST_FREE = 3 * ELEMENT_BYTES;

/** Limbs of 128p, each above that of a tight number, so that no difference is negative. */
const MINUEND = PLACES.map((place) => 2 ** 30 - (place === 0 ? 2432 : 2));

/**
 * The functions `niels(out, point)`, which gives the Niels form, and `add(point, other)` and
 * `subtract(point, other)`, which change `point` by another one in Niels form. All numbers that
 * they take and give are tight. `multiply` is the place of that function in the module.
 */
export function pointFunctions(multiply: number): readonly WasmFunction[] {
  const [out, from, point, other] = [0, 1, 0, 1];
  const niels = [
    crossed(from, false),
    [get(out), integer(LEFT), integer(NIELS_FACTORS), call(multiply)],
  ];
  const changed = (isSubtracted: boolean) => [
    crossed(point, isSubtracted),
    [integer(LEFT), integer(LEFT), get(other), call(multiply)],
    combined(isSubtracted),
    [get(point), integer(LEFT), integer(RIGHT), call(multiply)],
  ];
  const vectors = 1 + LIMBS;
  return [
    { name: "niels", parameters: 2, vectors: 0, body: niels },
    { name: "add", parameters: 2, vectors, body: changed(false) },
    { name: "subtract", parameters: 2, vectors, body: changed(true) },
  ];
}

/**
 * Writes Y-X, Y+X, T, Z to the left, which multiplied with the other point in Niels form gives the
 * formulas' A, B, C, D. To subtract is to add (-x, y), for which Y-X and Y+X change places and T its
 * sign: here, the first two of the point itself change places, which gives B, A, -C, D.
 */
function crossed(point: number, isSubtracted: boolean): Code {
  const minus = isSubtracted ? [0, 1, 0, 0] : [1, 0, 0, 0];
  return PLACES.map((place) => {
    const coordinates = limb(get(point), place);
    const added = [coordinates, all(0), shuffle([0, 0, 4, 4])];
    const sum = [
      [coordinates, all(0), shuffle([1, 1, 3, 2])],
      [signed(added, minus, place), ADD_32],
    ];
    return storeLimb(integer(LEFT), place, sum);
  });
}

/**
 * Makes of these E = B-A, G = D+C, F = D-C and H = B+A, and writes E, G, F, E to the left and
 * F, H, G, H to the right: their products are the sum's X, Y, Z, T.
 */
function combined(isSubtracted: boolean): Code {
  const [carry, limbs] = [2, 3];
  const [a, b] = isSubtracted ? [1, 0] : [0, 1];
  const minus = isSubtracted ? [1, 1, 0, 0] : [1, 0, 1, 0];
  const [c, d] = [2, 3];
  return [
    PLACES.map((place) => {
      const product = limb(integer(LEFT), place);
      const added = [product, product, shuffle([a, c, c, a])];
      return [
        [product, product, shuffle([b, d, d, b])],
        [signed(added, minus, place), ADD_32, set(limbs + place)],
      ];
    }),
    // Two sums would be too large to be multiplied with one another.
    carryOnce(limbs, carry),
    PLACES.map((place) => {
      const chosen = (order: readonly number[]): Code => [
        [get(limbs + place), get(limbs + place), shuffle(order)],
      ];
      return [
        storeLimb(integer(LEFT), place, chosen([0, 1, 2, 0])),
        storeLimb(integer(RIGHT), place, chosen([2, 3, 1, 3])),
      ];
    }),
  ];
}

/** Changes the sign of some lanes of a limb (`1`), and leaves the others as they are (`0`). */
function signed(value: Code, minus: readonly number[], place: number): Code {
  // -x is the complement of x, and one more.
  const complement = lanes(minus.map((sign) => -sign));
  const minuend = lanes(minus.map((sign) => sign * (MINUEND[place]! + 1)));
  return [value, complement, XOR, minuend, ADD_32];
}
