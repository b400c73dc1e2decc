import { after } from "../core/after.ts";

/** What to start. Standard input, output and errors are this process's own. */
export interface SpawnOptions {
  /** Path of the program; it is not looked for. */
  readonly program: string;
  /** What comes after its name on the command line. */
  readonly args: readonly string[];
  /** Its whole environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** A program that was started. */
export interface Spawned {
  readonly pid: number;
  /** How it ended; 128 + n after signal n. */
  readonly ended: Promise<number>;
  /** Ends it at once. What has ended already hears nothing. */
  kill(): void;
}

/** Thrown where the kernel does not start a program. */
export class SpawnError extends Error {
  readonly errno: number;
  constructor(program: string, errno: number) {
    super(`Cannot start "${program}": error number ${errno}`);
    this.name = "SpawnError";
    this.errno = errno;
  }
}

const SYMBOLS = {
  posix_spawn: {
    parameters: ["buffer", "buffer", "pointer", "buffer", "buffer", "buffer"],
    result: "i32",
  },
  posix_spawnattr_init: { parameters: ["buffer"], result: "i32" },
  posix_spawnattr_setflags: { parameters: ["buffer", "i16"], result: "i32" },
  posix_spawnattr_setsigdefault: { parameters: ["buffer", "buffer"], result: "i32" },
  posix_spawnattr_setsigmask: { parameters: ["buffer", "buffer"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  poll: { parameters: ["buffer", "u64", "i32"], result: "i32", nonblocking: true },
  syscall: { parameters: ["i64", "u64", "u64"], result: "i64" },
  waitpid: { parameters: ["i32", "buffer", "i32"], result: "i32" },
} as const;

type Library = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

const POSIX_SPAWN_SETSIGDEF = 4;
const POSIX_SPAWN_SETSIGMASK = 8;
/** More than the structure takes on any machine: 336 bytes with glibc. */
const ATTRIBUTES_SIZE = 1024;
const SIGNAL_SET_SIZE = 128;
const SIGPIPE = 13;
const EINVAL = 22;
const PIDFD_OPEN = 434n; // the same on every machine
const POLLIN = 1;
const WNOHANG = 1;
const OWN_CHILDREN = 0x2000_0000; // __WNOTHREAD
const LOOK_MS = 10;

/**
 * Starts a program, through the C library: `Deno.Command` loads Deno's streams for it, which takes
 * 15 ms. Like that, it has the program take signals as usual which this process ignores for itself.
 *
 * @throws {SpawnError} when the program cannot be executed.
 */
export function spawn({ program, args, env }: SpawnOptions): Spawned {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  if ([program, ...args, ...variables].some((text) => text.includes("\0"))) {
    throw new SpawnError(program, EINVAL); // it would end there, and another word begin
  }
  const libc = Deno.dlopen("libc.so.6", SYMBOLS).symbols;
  const attributes = new Uint8Array(ATTRIBUTES_SIZE);
  libc.posix_spawnattr_init(attributes);
  libc.posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  const usual = new Uint8Array(SIGNAL_SET_SIZE);
  usual[(SIGPIPE - 1) >> 3] = 1 << ((SIGPIPE - 1) & 7); // which the runtime ignores
  libc.posix_spawnattr_setsigdefault(attributes, usual);
  libc.posix_spawnattr_setsigmask(attributes, new Uint8Array(SIGNAL_SET_SIZE));
  const pid = new Int32Array(1);
  const errno = libc.posix_spawn(
    new Uint8Array(pid.buffer),
    new TextEncoder().encode(`${program}\0`),
    null,
    attributes,
    stringList([program, ...args]),
    stringList(variables),
  );
  if (errno !== 0) throw new SpawnError(program, errno);
  let isOver = false;
  const ended = waitFor(libc, pid[0]!).then((status) => {
    isOver = true;
    return exitCode(status);
  });
  ended.catch(() => {}); // told where it is awaited
  return {
    pid: pid[0]!,
    ended,
    kill() {
      if (!isOver) Deno.kill(pid[0]!, "SIGKILL");
    },
  };
}

/**
 * The status that a child ended with. A thread waits for its end, and the thread that started it
 * asks how it ended: waited for by any other, the stops of a child that this process traces in a
 * third one would be heard there, and missed by whoever traces.
 */
async function waitFor(libc: Library, pid: number): Promise<number> {
  const status = new Uint8Array(4);
  const descriptor = Number(libc.syscall(PIDFD_OPEN, BigInt(pid), 0n));
  const polled = new Uint8Array(new ArrayBuffer(8)); // which stays where it is meanwhile
  const view = new DataView(polled.buffer);
  view.setInt32(0, descriptor, true);
  view.setInt16(4, POLLIN, true);
  for (;;) {
    // Kernels before 5.3 have no descriptors of processes.
    if (descriptor >= 0) await libc.poll(polled, 1n, -1);
    else await new Promise<void>((resolve) => after(LOOK_MS, resolve));
    const waited = libc.waitpid(pid, status, WNOHANG | OWN_CHILDREN);
    if (waited === 0) continue;
    if (descriptor >= 0) libc.close(descriptor);
    if (waited === pid) return new DataView(status.buffer).getInt32(0, true);
    throw new Error(`Cannot wait for process ${pid}: it is no child of this thread`);
  }
}

/** As shells tell it. */
function exitCode(status: number): number {
  const signal = status & 0x7f;
  return signal === 0 ? (status >> 8) & 0xff : 128 + signal;
}

/** A null-terminated list of C strings, as `argv` is, with the strings behind it. */
function stringList(texts: readonly string[]): Uint8Array<ArrayBuffer> {
  const strings = new TextEncoder().encode(texts.map((text) => `${text}\0`).join(""));
  const start = (texts.length + 1) * 8;
  const list = new Uint8Array(new ArrayBuffer(start + strings.length));
  list.set(strings, start);
  const at = BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(list)));
  const view = new DataView(list.buffer);
  let next = start;
  for (let index = 0; index < texts.length; index++) {
    view.setBigUint64(index * 8, at + BigInt(next), true);
    next = list.indexOf(0, next) + 1;
  }
  return list;
}
