/** As much of WebAssembly's binary format as the field needs (WebAssembly Core 2.0, chapter 5). */

/** Instructions; nested as they were put together. */
export type Code = readonly (number | Code)[];

/** A function of 32-bit integers that returns nothing; its locals beside them are vectors. */
export interface WasmFunction {
  readonly name: string;
  readonly parameters: number;
  readonly vectors: number;
  readonly body: Code;
}

const I32 = 0x7f, V128 = 0x7b, FUNCTION = 0x60, END = 0x0b;
const MAGIC = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const MEMORY = 2;

/** Pushes a local, of which the parameters are the first. */
export const get = (local: number): Code => [0x20, unsigned(local)];
/** Pops into a local. */
export const set = (local: number): Code => [0x21, unsigned(local)];
/** Copies what is on top of the stack into a local. */
export const tee = (local: number): Code => [0x22, unsigned(local)];
/** Pushes a 32-bit integer. */
export const integer = (value: number): Code => [0x41, signed(value)];
/** Calls the function that is in this place of the module. */
export const call = (index: number): Code => [0x10, unsigned(index)];

/** Replaces an address by the 16 bytes that lie so many bytes behind it. */
export const load = (offset: number): Code => [vector(0), 4, unsigned(offset)];
/** Writes the vector on top of the stack so many bytes behind the address below it. */
export const store = (offset: number): Code => [vector(11), 4, unsigned(offset)];
/** Pushes four lanes of 32 bits, the first one first. */
export const lanes = (values: readonly number[]): Code => [
  vector(12),
  [...new Uint8Array(Uint32Array.from(values).buffer)],
];
/** Lanes of the two vectors on top of the stack: 0 to 3 are of the lower one, 4 to 7 of the other. */
export const shuffle = (chosen: readonly number[]): Code => [
  vector(13),
  chosen.flatMap((lane) => [4 * lane, 4 * lane + 1, 4 * lane + 2, 4 * lane + 3]),
];

export const AND = vector(78);
export const XOR = vector(81);
/** Four lanes of 32 bits. */
export const ADD_32 = vector(174);
export const shiftRight32 = (bits: number): Code => [integer(bits), vector(173)];
export const shiftLeft32 = (bits: number): Code => [integer(bits), vector(171)];
/** Two lanes of 64 bits. */
export const ADD_64 = vector(206);
export const shiftRight64 = (bits: number): Code => [integer(bits), vector(205)];
export const shiftLeft64 = (bits: number): Code => [integer(bits), vector(203)];
/** The products of the lower two of four lanes, and of the upper two, as two lanes of 64 bits. */
export const MULTIPLY_LOWER = vector(222);
export const MULTIPLY_UPPER = vector(223);

/** Says in bytes what a module is that exports these functions and its `memory`. */
export function wasmModule(
  functions: readonly WasmFunction[],
  memoryPages: number,
): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ parameters }) => [
    FUNCTION,
    list(Array(parameters).fill([I32])),
    0,
  ]);
  const bodies = functions.map(({ vectors, body }) =>
    sized([list([[unsigned(vectors), V128]]), body, END])
  );
  const exports = functions.map(({ name }, index) => [text(name), 0, unsigned(index)]);
  return new Uint8Array(flat([
    MAGIC,
    section(1, list(types)),
    section(3, list(functions.map((_, index) => unsigned(index)))),
    section(5, list([[1, unsigned(memoryPages), unsigned(memoryPages)]])),
    section(7, list([...exports, [text("memory"), MEMORY, 0]])),
    section(10, list(bodies)),
  ]));
}

function vector(operation: number): Code {
  return [0xfd, unsigned(operation)];
}

function section(id: number, content: Code): Code {
  return [id, sized(content)];
}

function sized(content: Code): Code {
  const bytes = flat(content);
  return [unsigned(bytes.length), bytes];
}

function list(items: readonly Code[]): Code {
  return [unsigned(items.length), ...items];
}

function text(value: string): Code {
  return sized([...new TextEncoder().encode(value)]);
}

function flat(code: Code): number[] {
  return code.flat(Infinity as 1) as number[];
}

/** LEB128: seven bits a byte, the lowest first. */
function unsigned(value: number): number[] {
  return value < 128 ? [value] : [value % 128 + 128, ...unsigned(Math.floor(value / 128))];
}

function signed(value: number): number[] {
  return value >= -64 && value < 64 ? [value & 127] : [(value & 127) | 128, ...signed(value >> 7)];
}
