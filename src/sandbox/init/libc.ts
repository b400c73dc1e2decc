/** The calls of the C library that `__init` needs and Deno does not offer. */

const SYMBOLS = {
  __errno_location: { parameters: [], result: "pointer" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  getdents64: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  kill: { parameters: ["i32", "i32"], result: "i32" },
  mount: { parameters: ["buffer", "buffer", "buffer", "u64", "pointer"], result: "i32" },
  open: { parameters: ["buffer", "i32"], result: "i32" },
  readlinkat: { parameters: ["i32", "buffer", "buffer", "usize"], result: "isize" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  sendto: {
    parameters: ["i32", "buffer", "usize", "i32", "buffer", "u32"],
    result: "isize",
  },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  syscall: { parameters: ["i64", "u64", "u64", "u64"], result: "i64" },
  waitForPacket: {
    name: "recv",
    parameters: ["i32", "buffer", "usize", "i32"],
    result: "isize",
    nonblocking: true,
  },
} as const;

export const libc = Deno.dlopen("libc.so.6", SYMBOLS).symbols;

/** A failed call with the error number that it left. */
export class SystemCallError extends Error {
  /** What it should have done. */
  readonly call: string;
  readonly errno: number;
  constructor(call: string, errno: number) {
    super(`Cannot ${call}: error number ${errno}`);
    this.name = "SystemCallError";
    this.call = call;
    this.errno = errno;
  }
}

/** The error number of the call just made. */
export function errno(): number {
  return new Deno.UnsafePointerView(libc.__errno_location()!).getInt32();
}

/**
 * Passes a result through unless it is negative.
 *
 * @throws {SystemCallError}
 */
export function checked(call: string, result: number | bigint): number {
  if (result < 0) throw new SystemCallError(call, errno());
  return Number(result);
}

const encoder = new TextEncoder();

/** `text` as a C string. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(`${text}\0`);
}
