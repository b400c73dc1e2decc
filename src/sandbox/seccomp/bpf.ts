/** The classic BPF that seccomp runs (linux/filter.h): just the instructions the compiler emits. */

/** `struct sock_filter`. Jumps count from the next instruction. */
export interface Instruction {
  readonly code: number;
  readonly jumpTrue: number;
  readonly jumpFalse: number;
  readonly operand: number;
}

function instruction(code: number, operand: number, jumpTrue = 0, jumpFalse = 0): Instruction {
  return { code, jumpTrue, jumpFalse, operand: operand >>> 0 };
}

/** Loads the 32-bit word at `offset` of `struct seccomp_data` into the accumulator. */
export function load(offset: number): Instruction {
  return instruction(0x20, offset);
}

/** Ends the program with a seccomp action. */
export function answer(action: number): Instruction {
  return instruction(0x06, action);
}

/** Goes on with `then` when the accumulator is `value`, else skips it. */
export function whenEqual(value: number, then: readonly Instruction[]): Instruction[] {
  return [instruction(0x15, value, 0, skip(then)), ...then];
}

/** Goes on with `then` unless the accumulator is `value`. */
export function unlessEqual(value: number, then: readonly Instruction[]): Instruction[] {
  return [instruction(0x15, value, skip(then), 0), ...then];
}

/** Goes on with `then` when the accumulator is at least `value` (unsigned), else skips it. */
export function whenAtLeast(value: number, then: readonly Instruction[]): Instruction[] {
  return [instruction(0x35, value, 0, skip(then)), ...then];
}

/** Goes on with `then` when the accumulator has any bit of `mask`, else skips it. */
export function whenAnyBit(mask: number, then: readonly Instruction[]): Instruction[] {
  return [instruction(0x45, mask, 0, skip(then)), ...then];
}

/** Jumps over the next `count` instructions when the accumulator is `value`. */
export function skipWhenEqual(value: number, count: number): Instruction {
  return instruction(0x15, value, reach(count), 0);
}

function skip(then: readonly Instruction[]): number {
  return reach(then.length);
}

function reach(count: number): number {
  if (count > 255) throw new RangeError("Cannot jump over more than 255 instructions");
  return count;
}

/** The program as the kernel reads it: little-endian `struct sock_filter`, 8 bytes each. */
export function encode(program: readonly Instruction[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  program.forEach(({ code, jumpTrue, jumpFalse, operand }, index) => {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, jumpTrue);
    view.setUint8(index * 8 + 3, jumpFalse);
    view.setUint32(index * 8 + 4, operand, true);
  });
  return bytes;
}
