import { CAPTURED_PORTS } from "../../ports.ts";
import {
  answer,
  encode,
  type Instruction,
  load,
  unlessEqual,
  whenAnyBit,
  whenEqual,
} from "../../seccomp/bpf.ts";

const DNS_PORT = 53;
const LOOPBACK_NET = 127;
const SYN = 0x02;
const ACK = 0x10;
const VERSION_BITS = 0xf0;

const loadByte = (at: number): Instruction => plain(0x30, at);
const loadHalfAfterIpHeader = (at: number): Instruction => plain(0x48, at);
const loadByteAfterIpHeader = (at: number): Instruction => plain(0x50, at);
/** Puts the length of the IPv4 header into the index. */
const indexIpv4Header: Instruction = plain(0xb1, 0);
const indexNumber = (value: number): Instruction => plain(0x01, value);
const keepBits = (mask: number): Instruction => plain(0x54, mask);

function plain(code: number, operand: number): Instruction {
  return { code, jumpTrue: 0, jumpFalse: 0, operand };
}

const DROP = answer(0);
const TAKE = answer(0xffff);

/** Past the IP header: connections that begin on a port that nobody serves, and other datagrams. */
function attempts(protocolAt: number, index: Instruction): Instruction[] {
  return [
    loadByte(protocolAt),
    ...whenEqual(6, [
      index,
      loadByteAfterIpHeader(13),
      ...whenAnyBit(ACK, [DROP]),
      ...whenAnyBit(SYN, [
        loadHalfAfterIpHeader(2),
        ...[DNS_PORT, ...CAPTURED_PORTS].flatMap((port) => whenEqual(port, [DROP])),
        TAKE,
      ]),
      DROP,
    ]),
    ...whenEqual(17, [
      index,
      loadHalfAfterIpHeader(2),
      ...whenEqual(DNS_PORT, [DROP]),
      loadHalfAfterIpHeader(0), // our answers
      ...whenEqual(DNS_PORT, [DROP]),
      TAKE,
    ]),
    DROP,
  ];
}

/**
 * Lets through the packets of the loopback device with which somebody wants to reach anything but
 * the sandbox itself and what firma serves: of bulk traffic the kernel shows us nothing.
 */
export function attemptFilter(): Instruction[] {
  return [
    loadByte(0),
    keepBits(VERSION_BITS),
    ...whenEqual(0x40, [
      loadByte(16),
      ...whenEqual(LOOPBACK_NET, [DROP]),
      ...attempts(9, indexIpv4Header),
    ]),
    ...unlessEqual(0x60, [DROP]),
    // ::1: all words of the destination but the last are zero.
    ...isZero(24, isZero(28, isZero(32, [load(36), ...whenEqual(1, [DROP])]))),
    ...attempts(6, indexNumber(40)),
  ];
}

function isZero(at: number, then: readonly Instruction[]): Instruction[] {
  return [load(at), ...whenEqual(0, then)];
}

/** The filter as the kernel reads it. */
export function encodedAttemptFilter(): { readonly bytes: Uint8Array<ArrayBuffer>; count: number } {
  const program = attemptFilter();
  return { bytes: encode(program), count: program.length };
}
