import { BASE, dataPlace, elfFile, HEADERS_SIZE } from "../shims/elf_file.ts";
import { machineCode } from "../shims/machine_code.ts";
import { NOT_RUN } from "../shims/protocol.ts";
import { BLOCK_HEAD, BLOCK_SIZE } from "./protocol.ts";

/**
 * The program that stands in the place of one that reads a secret store. It says what it was started
 * with, and writes what it is answered: what it never gets, nobody finds in its memory. The real one
 * runs outside of the sandbox.
 */

interface Machine {
  readonly socket: number;
  readonly connect: number;
  readonly openat: number;
  readonly getcwd: number;
  readonly read: number;
  readonly write: number;
  readonly shutdown: number;
  readonly exitGroup: number;
}

const MACHINES: Readonly<Record<typeof Deno.build.arch, Machine>> = {
  x86_64: {
    ...{ socket: 41, connect: 42, openat: 257, getcwd: 79 },
    ...{ read: 0, write: 1, shutdown: 48, exitGroup: 231 },
  },
  aarch64: {
    ...{ socket: 198, connect: 203, openat: 56, getcwd: 17 },
    ...{ read: 63, write: 64, shutdown: 210, exitGroup: 94 },
  },
};

const AF_UNIX = 1;
const SOCK_STREAM_CLOEXEC = 1 | 0x80000;
const O_RDONLY_CLOEXEC = 0x80000;
const SHUT_WR = 1;
const STANDARD_ERROR = 2;

/** Two words in front of it: where in a block the stub is, and how much of it is to come. */
const DATA_SIZE = 8;

const encoder = new TextEncoder();

/** The program as a file (ELF), for a Sidecar that is reached at `socketPath`. */
export function stubFile(
  socketPath: string,
  arch: typeof Deno.build.arch = Deno.build.arch,
): Uint8Array<ArrayBuffer> {
  const texts = {
    address: new Uint8Array([AF_UNIX, 0, ...encoder.encode(socketPath), 0]),
    commandLine: encoder.encode("/proc/self/cmdline\0"),
    lost: encoder.encode("firma: not run: the Sidecar does not answer\n"),
  };
  const constants = new Uint8Array(Object.values(texts).flatMap((text) => [...text]));
  // Where things lie depends on how long the code is, which does not depend on where they lie.
  const size = writeCode(arch, { constants: 0, data: 0 }, texts).length;
  const places = {
    constants: BASE + HEADERS_SIZE + size,
    data: dataPlace(size + constants.length),
  };
  const code = writeCode(arch, places, texts);
  return elfFile({ arch, code, constants, data: new Uint8Array(DATA_SIZE), room: BLOCK_SIZE });
}

interface Texts {
  readonly address: Uint8Array;
  readonly commandLine: Uint8Array;
  readonly lost: Uint8Array;
}

function writeCode(
  arch: typeof Deno.build.arch,
  { constants, data }: { readonly constants: number; readonly data: number },
  { address, commandLine, lost }: Texts,
): Uint8Array<ArrayBuffer> {
  const { socket, connect, openat, getcwd, read, write, shutdown, exitGroup } = MACHINES[arch];
  const [cursor, left, block] = [data, data + 4, data + DATA_SIZE];
  const [descriptor, length, status] = [block, block + 4, block + 8];
  const commandLineAt = constants + address.length;
  const lostAt = commandLineAt + commandLine.length;
  const code = machineCode(arch);
  code.begin();
  code.call(socket, AF_UNIX, SOCK_STREAM_CLOEXEC, 0);
  code.whenFailed("lost");
  code.keep("socket");
  code.call(connect, "socket", constants, address.length);
  code.whenFailed("lost");
  code.call(getcwd, block, BLOCK_SIZE);
  code.whenFailed("lost");
  code.keep("received");
  code.call(write, "socket", block, "received");
  code.whenFailed("lost");
  code.call(openat, 0, commandLineAt, O_RDONLY_CLOEXEC);
  code.whenFailed("lost");
  code.keep("file");
  code.label("tell");
  code.call(read, "file", block, BLOCK_SIZE);
  code.whenFailed("lost");
  code.whenZero("told");
  code.keep("received");
  code.call(write, "socket", block, "received");
  code.whenFailed("lost");
  code.jump("tell");
  code.label("told");
  code.call(shutdown, "socket", SHUT_WR);
  code.label("next");
  code.set(cursor, block);
  code.set(left, BLOCK_SIZE);
  code.label("hear");
  code.call(read, "socket", { at: cursor }, { at: left });
  code.whenInterrupted("hear");
  code.whenFailed("lost");
  code.whenZero("lost");
  code.advance(cursor, left, "hear");
  code.unlessAt(descriptor, 4, 0, "show");
  code.call(exitGroup, { at: status });
  code.label("show");
  code.set(cursor, block + BLOCK_HEAD);
  code.label("write");
  code.call(write, { at: descriptor }, { at: cursor }, { at: length });
  code.whenInterrupted("write");
  code.whenFailed("lost");
  code.advance(cursor, length, "write");
  code.jump("next");
  code.label("lost");
  code.call(write, STANDARD_ERROR, lostAt, lost.length);
  code.call(exitGroup, NOT_RUN);
  return code.finish();
}
