/**
 * As much of the instruction sets of x86-64 and AArch64 as a shim needs: system calls with constants
 * and what was kept of earlier ones, and jumps. Each kind of instruction is written out once.
 */

/** What an argument of a system call is. */
export type Operand =
  /** A constant of at most 32 bits; addresses of a shim are. */
  | number
  /** What {@linkcode MachineCode.keep} has kept. */
  | Kept
  /** What lies in the four bytes at an address. */
  | { readonly at: number }
  /** How many bytes were received behind the first one. */
  | "received but one"
  /** The lists that the process was started with, where the kernel put them. */
  | "arguments"
  | "environment";

/** Results that outlive later calls. */
export type Kept = "socket" | "received" | "file";

/** Writes instructions one after the other. */
export interface MachineCode {
  /** Notes where the kernel has put the arguments; comes first. */
  begin(): void;
  /** Makes a system call with at most three arguments. */
  call(number: number, ...operands: readonly Operand[]): void;
  /** Keeps the result of the last call. */
  keep(as: Kept): void;
  /** Names the place of the next instruction. */
  label(name: string): void;
  /** Jumps when the last call has failed. */
  whenFailed(label: string): void;
  /** Jumps when the last call was interrupted by a signal. */
  whenInterrupted(label: string): void;
  /** Jumps when the result of the last call is zero. */
  whenZero(label: string): void;
  /** Jumps. */
  jump(label: string): void;
  /** Writes a constant into the four bytes at an address. */
  set(address: number, value: number): void;
  /**
   * Adds the result of the last call to what lies at `address`, takes it from what lies at `left`,
   * four bytes each, and jumps unless that has become zero.
   */
  advance(address: number, left: number, label: string): void;
  /** Jumps unless the value of this many bytes at an address is what it should be. */
  unlessAt(address: number, size: 1 | 4, value: number, label: string): void;
  /** The instructions, all jumps resolved. */
  finish(): Uint8Array<ArrayBuffer>;
}

const EINTR = 4;

/** Bytes with holes where jumps are to lead. */
abstract class Writer {
  protected readonly bytes: number[] = [];
  readonly #labels = new Map<string, number>();
  readonly #jumps: { readonly at: number; readonly label: string }[] = [];

  label(name: string): void {
    this.#labels.set(name, this.bytes.length);
  }

  protected word(value: number): void {
    this.bytes.push(value & 0xff, value >>> 8 & 0xff, value >>> 16 & 0xff, value >>> 24);
  }

  /** The next four bytes have to lead to a label. */
  protected leadsTo(label: string): void {
    this.#jumps.push({ at: this.bytes.length, label });
  }

  finish(): Uint8Array<ArrayBuffer> {
    const code = new Uint8Array(this.bytes);
    const view = new DataView(code.buffer);
    for (const { at, label } of this.#jumps) {
      const target = this.#labels.get(label);
      if (target === undefined) {
        throw new Error(`Cannot jump to "${label}": there is no such label`);
      }
      view.setUint32(at, this.resolve(view.getUint32(at, true), target - at), true);
    }
    return code;
  }

  /** What the four bytes have to be whose place is so far before the target. */
  protected abstract resolve(value: number, distance: number): number;
}

/** Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2. */
class X86Code extends Writer implements MachineCode {
  begin(): void {
    this.bytes.push(0x48, 0x89, 0xe3); // mov rbx, rsp
  }

  call(number: number, ...operands: readonly Operand[]): void {
    operands.forEach((operand, index) => this.#load(index, operand));
    this.bytes.push(0xb8); // mov eax, number
    this.word(number);
    this.bytes.push(0x0f, 0x05); // syscall
  }

  #load(index: number, operand: Operand): void {
    if (typeof operand === "number") {
      this.bytes.push([0xbf, 0xbe, 0xba][index]!); // mov edi, esi or edx, operand
      this.word(operand);
      return;
    }
    if (typeof operand === "object") {
      this.bytes.push(0x8b, [0x3c, 0x34, 0x14][index]!, 0x25); // mov edi, esi or edx, [at]
      this.word(operand.at);
      return;
    }
    const code = LOADS_X86[`${index} ${operand}`];
    if (code === undefined) throw new Error(`Cannot pass "${operand}" as argument ${index}`);
    this.bytes.push(...code);
  }

  keep(as: Kept): void {
    this.bytes.push(0x41, 0x89, { socket: 0xc4, received: 0xc5, file: 0xc6 }[as]); // mov r12d to r14d, eax
  }

  whenFailed(label: string): void {
    this.bytes.push(0x85, 0xc0); // test eax, eax
    this.#jump(0x88, label); // js
  }

  whenInterrupted(label: string): void {
    this.bytes.push(0x83, 0xf8, 0x100 - EINTR); // cmp eax, -EINTR
    this.#jump(0x84, label); // je
  }

  whenZero(label: string): void {
    this.bytes.push(0x85, 0xc0); // test eax, eax
    this.#jump(0x84, label); // je
  }

  jump(label: string): void {
    this.bytes.push(0xe9); // jmp
    this.leadsTo(label);
    this.word(0);
  }

  set(address: number, value: number): void {
    this.bytes.push(0xc7, 0x04, 0x25); // mov dword [address], value
    this.word(address);
    this.word(value);
  }

  advance(address: number, left: number, label: string): void {
    this.bytes.push(0x01, 0x04, 0x25); // add [address], eax
    this.word(address);
    this.bytes.push(0x29, 0x04, 0x25); // sub [left], eax
    this.word(left);
    this.#jump(0x85, label); // jne
  }

  unlessAt(address: number, size: 1 | 4, value: number, label: string): void {
    this.bytes.push(size === 1 ? 0x80 : 0x81, 0x3c, 0x25); // cmp [address], value
    this.word(address);
    if (size === 1) this.bytes.push(value);
    else this.word(value);
    this.#jump(0x85, label); // jne
  }

  #jump(condition: number, label: string): void {
    this.bytes.push(0x0f, condition);
    this.leadsTo(label);
    this.word(0);
  }

  protected resolve(_value: number, distance: number): number {
    return distance - 4; // counted from the next instruction
  }
}

const LOADS_X86: Readonly<Record<string, readonly number[]>> = {
  "0 socket": [0x44, 0x89, 0xe7], // mov edi, r12d
  "0 file": [0x44, 0x89, 0xf7], // mov edi, r14d
  "2 received": [0x44, 0x89, 0xea], // mov edx, r13d
  "1 arguments": [0x48, 0x8d, 0x73, 0x08], // lea rsi, [rbx + 8]
  // mov rdx, [rbx]; lea rdx, [rbx + 8 * rdx + 16]
  "2 environment": [0x48, 0x8b, 0x13, 0x48, 0x8d, 0x54, 0xd3, 0x10],
  "2 received but one": [0x41, 0x8d, 0x55, 0xff], // lea edx, [r13 - 1]
};

/** Arm Architecture Reference Manual for A-profile, chapter C6. */
class ArmCode extends Writer implements MachineCode {
  begin(): void {
    this.word(0x910003f3); // mov x19, sp
  }

  call(number: number, ...operands: readonly Operand[]): void {
    operands.forEach((operand, index) => this.#load(index, operand));
    this.#set(8, number);
    this.word(0xd4000001); // svc #0
  }

  #load(index: number, operand: Operand): void {
    if (typeof operand === "number") return this.#set(index, operand);
    if (typeof operand === "object") {
      this.#set(9, operand.at);
      return this.word((0xb9400120 | index) >>> 0); // ldr w, [x9]
    }
    const code = LOADS_ARM[`${index} ${operand}`];
    if (code === undefined) throw new Error(`Cannot pass "${operand}" as argument ${index}`);
    for (const word of code) this.word(word);
  }

  #set(register: number, value: number): void {
    this.word((0x52800000 | (value & 0xffff) << 5 | register) >>> 0); // mov w, low half
    this.word((0x72a00000 | (value >>> 16) << 5 | register) >>> 0); // movk w, high half, lsl 16
  }

  keep(as: Kept): void {
    this.word({ socket: 0x2a0003f4, received: 0x2a0003f5, file: 0x2a0003f6 }[as]); // mov w20 to w22, w0
  }

  whenFailed(label: string): void {
    this.leadsTo(label);
    this.word(0x37f80000); // tbnz w0, #31
  }

  whenInterrupted(label: string): void {
    this.word((0x3100001f | EINTR << 10) >>> 0); // cmn w0, #EINTR
    this.leadsTo(label);
    this.word(0x54000000); // b.eq
  }

  whenZero(label: string): void {
    this.leadsTo(label);
    this.word(0x34000000); // cbz w0
  }

  jump(label: string): void {
    this.leadsTo(label);
    this.word(0x5400000e); // b.al
  }

  set(address: number, value: number): void {
    this.#set(9, address);
    this.#set(10, value);
    this.word(0xb900012a); // str w10, [x9]
  }

  advance(address: number, left: number, label: string): void {
    this.#set(9, address);
    this.word(0xb940012a); // ldr w10, [x9]
    this.word(0x0b00014a); // add w10, w10, w0
    this.word(0xb900012a); // str w10, [x9]
    this.#set(9, left);
    this.word(0xb940012a); // ldr w10, [x9]
    this.word(0x6b00014a); // subs w10, w10, w0
    this.word(0xb900012a); // str w10, [x9]
    this.leadsTo(label);
    this.word(0x54000001); // b.ne
  }

  unlessAt(address: number, size: 1 | 4, value: number, label: string): void {
    this.#set(9, address);
    this.word(size === 1 ? 0x39400129 : 0xb9400129); // ldrb or ldr w9, [x9]
    this.#set(10, value);
    this.word(0x6b0a013f); // cmp w9, w10
    this.leadsTo(label);
    this.word(0x54000001); // b.ne
  }

  protected resolve(value: number, distance: number): number {
    const isBitTest = (value & 0x7e000000) === 0x36000000;
    return (value | (distance >> 2 & (isBitTest ? 0x3fff : 0x7ffff)) << 5) >>> 0;
  }
}

const LOADS_ARM: Readonly<Record<string, readonly number[]>> = {
  "0 socket": [0x2a1403e0], // mov w0, w20
  "0 file": [0x2a1603e0], // mov w0, w22
  "2 received": [0x2a1503e2], // mov w2, w21
  "1 arguments": [0x91002261], // add x1, x19, #8
  // ldr x2, [x19]; add x2, x19, x2, lsl #3; add x2, x2, #16
  "2 environment": [0xf9400262, 0x8b020e62, 0x91004042],
  "2 received but one": [0x510006a2], // sub w2, w21, #1
};

/** Begins a piece of code. */
export function machineCode(arch: typeof Deno.build.arch): MachineCode {
  return arch === "x86_64" ? new X86Code() : new ArmCode();
}
