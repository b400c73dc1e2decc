/** Executables that consist of some code, constants, and data (elf(5)); they need nothing else to run. */

/** How long what stands in front of the code is. */
export const HEADERS_SIZE = 64 + 3 * 56;
/** Where such a file lies in memory. */
export const BASE = 0x40_0000;
/** Pages of AArch64 may be as large. */
const PAGE = 0x1_0000;

/** `e_machine`. */
const MACHINES: Readonly<Record<typeof Deno.build.arch, number>> = { x86_64: 62, aarch64: 183 };

const PT_LOAD = 1;
const PT_GNU_STACK = 0x6474_e551;
const [EXECUTE, WRITE, READ] = [1, 2, 4];

const encoder = new TextEncoder();

/** What an executable is made of. */
export interface ElfParts {
  readonly arch: typeof Deno.build.arch;
  /** Begins at `BASE + HEADERS_SIZE`. */
  readonly code: Uint8Array;
  /** Follow the code. */
  readonly constants: Uint8Array;
  /** Begins at {@linkcode dataPlace}. */
  readonly data: Uint8Array;
  /** How many zeros follow the data in memory. */
  readonly room: number;
}

/** Where data lies in memory behind so many bytes of code and constants. */
export function dataPlace(size: number): number {
  return BASE + PAGE + dataOffset(size);
}

const dataOffset = (size: number) => HEADERS_SIZE + size + 7 & ~7;

/** The executable as a file. */
export function elfFile({ arch, code, constants, data, room }: ElfParts): Uint8Array<ArrayBuffer> {
  const dataAt = dataOffset(code.length + constants.length);
  const file = new Uint8Array(dataAt + data.length);
  file.set(headers(arch, dataAt, data.length, room));
  file.set(concat([code, constants]), HEADERS_SIZE);
  file.set(data, dataAt);
  return file;
}

/** `Elf64_Ehdr` and three `Elf64_Phdr`: code and constants, data, and a stack that runs nothing. */
function headers(
  arch: typeof Deno.build.arch,
  dataAt: number,
  dataSize: number,
  room: number,
): Uint8Array {
  const bytes = new Uint8Array(HEADERS_SIZE);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, ...encoder.encode("ELF"), 2, 1, 1]);
  view.setUint16(16, 2, true); // an executable
  view.setUint16(18, MACHINES[arch], true);
  view.setUint32(20, 1, true);
  view.setUint32(24, BASE + HEADERS_SIZE, true); // where it begins
  view.setUint32(32, 64, true);
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 3, true);
  view.setUint16(58, 64, true);
  const segment = (
    index: number,
    { type, flags, at, address, size, memory }: {
      readonly type: number;
      readonly flags: number;
      readonly at: number;
      readonly address: number;
      readonly size: number;
      readonly memory: number;
    },
  ) => {
    const start = 64 + 56 * index;
    view.setUint32(start, type, true);
    view.setUint32(start + 4, flags, true);
    view.setUint32(start + 8, at, true);
    view.setUint32(start + 16, address, true);
    view.setUint32(start + 24, address, true);
    view.setUint32(start + 32, size, true);
    view.setUint32(start + 40, memory, true);
    view.setUint32(start + 48, PAGE, true);
  };
  const code = { type: PT_LOAD, flags: READ | EXECUTE, at: 0, address: BASE };
  segment(0, { ...code, size: dataAt, memory: dataAt });
  const data = { type: PT_LOAD, flags: READ | WRITE, at: dataAt, address: BASE + PAGE + dataAt };
  segment(1, { ...data, size: dataSize, memory: dataSize + room });
  segment(2, { type: PT_GNU_STACK, flags: READ | WRITE, at: 0, address: 0, size: 0, memory: 0 });
  return bytes;
}

/** The parts one after the other. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
