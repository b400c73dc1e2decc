import { BASE, concat, dataPlace, elfFile, HEADERS_SIZE } from "./elf_file.ts";
import { machineCode } from "./machine_code.ts";
import { ALLOWED, DENIED, LONGEST_ANSWER, NOT_RUN } from "./protocol.ts";

/**
 * The program that stands in the place of a governed one: it connects to the gate, waits for the
 * answer, and becomes the real program or ends. It has no name for that: what it may become comes as
 * a descriptor. Arguments, environment and all other descriptors it passes on where they lie; it
 * reads none of them, and changes no signal, limit or directory.
 */

interface Machine {
  readonly socket: number;
  readonly connect: number;
  readonly recvmsg: number;
  readonly execve: number;
  readonly write: number;
  readonly exitGroup: number;
}

const MACHINES: Readonly<Record<typeof Deno.build.arch, Machine>> = {
  x86_64: {
    ...{ socket: 41, connect: 42, recvmsg: 47 },
    ...{ execve: 59, write: 1, exitGroup: 231 },
  },
  aarch64: {
    ...{ socket: 198, connect: 203, recvmsg: 212 },
    ...{ execve: 221, write: 64, exitGroup: 94 },
  },
};

const AF_UNIX = 1;
const SOCK_STREAM_CLOEXEC = 1 | 0x80000;
const MSG_CMSG_CLOEXEC = 0x4000_0000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const STANDARD_ERROR = 2;

/** `struct msghdr`, `struct iovec`, and room for one descriptor (`CMSG_SPACE(sizeof(int))`). */
const MESSAGE_SIZE = 56;
const VECTOR_SIZE = 16;
const CONTROL_SIZE = 24;
/** `CMSG_LEN(sizeof(int))`: exactly one descriptor. */
const ONE_DESCRIPTOR = 20;

const encoder = new TextEncoder();
const text = (what: string) => encoder.encode(`firma: not run: ${what}\n`);

/** The program as a file (ELF), for a gate that listens at `socketPath`. */
export function shimFile(
  socketPath: string,
  arch: typeof Deno.build.arch = Deno.build.arch,
): Uint8Array<ArrayBuffer> {
  const address = new Uint8Array([AF_UNIX, 0, ...encoder.encode(socketPath), 0]);
  const lost = text("the execution gate does not answer");
  const failed = text("the kernel does not execute it");
  const constants = concat([address, lost, failed]);
  // Where things lie depends on how long the code is, which does not depend on where they lie.
  const size = writeCode(arch, { constants: 0, data: 0 }, address, lost, failed).length;
  const at = { constants: BASE + HEADERS_SIZE + size, data: dataPlace(size + constants.length) };
  const code = writeCode(arch, at, address, lost, failed);
  const data = writeData(at.data);
  return elfFile({ arch, code, constants, data, room: LONGEST_ANSWER });
}

interface Places {
  readonly constants: number;
  readonly data: number;
}

const answerAt = (data: number) => data + MESSAGE_SIZE + VECTOR_SIZE + CONTROL_SIZE;

function writeCode(
  arch: typeof Deno.build.arch,
  { constants, data }: Places,
  address: Uint8Array,
  lost: Uint8Array,
  failed: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const { socket, connect, recvmsg, execve, write, exitGroup } = MACHINES[arch];
  const control = data + MESSAGE_SIZE + VECTOR_SIZE;
  const answer = answerAt(data);
  const lostAt = constants + address.length;
  const code = machineCode(arch);
  code.begin();
  code.call(socket, AF_UNIX, SOCK_STREAM_CLOEXEC, 0);
  code.whenFailed("lost");
  code.keep("socket");
  code.call(connect, "socket", constants, address.length);
  code.whenFailed("lost");
  code.label("listen");
  code.call(recvmsg, "socket", data, MSG_CMSG_CLOEXEC);
  code.whenInterrupted("listen");
  code.whenFailed("lost");
  code.keep("received");
  // Nothing received leaves a zero there, which is neither.
  code.unlessAt(answer, 1, ALLOWED, "denied");
  code.unlessAt(control, 4, ONE_DESCRIPTOR, "lost");
  code.unlessAt(control + 8, 4, SOL_SOCKET, "lost");
  code.unlessAt(control + 12, 4, SCM_RIGHTS, "lost");
  code.call(execve, answer + 1, "arguments", "environment");
  code.call(write, STANDARD_ERROR, lostAt + lost.length, failed.length);
  code.call(exitGroup, NOT_RUN);
  code.label("denied");
  code.unlessAt(answer, 1, DENIED, "lost");
  code.call(write, STANDARD_ERROR, answer + 1, "received but one");
  code.call(exitGroup, NOT_RUN);
  code.label("lost");
  code.call(write, STANDARD_ERROR, lostAt, lost.length);
  code.call(exitGroup, NOT_RUN);
  return code.finish();
}

/** What `recvmsg` is told: where the answer goes, and where a descriptor. */
function writeData(at: number): Uint8Array {
  const data = new Uint8Array(MESSAGE_SIZE + VECTOR_SIZE + CONTROL_SIZE);
  const view = new DataView(data.buffer);
  const vector = at + MESSAGE_SIZE;
  view.setUint32(16, vector, true);
  view.setUint32(24, 1, true);
  view.setUint32(32, vector + VECTOR_SIZE, true);
  view.setUint32(40, CONTROL_SIZE, true);
  view.setUint32(MESSAGE_SIZE, answerAt(at), true);
  view.setUint32(MESSAGE_SIZE + 8, LONGEST_ANSWER, true);
  return data;
}
