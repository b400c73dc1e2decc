import assert from "node:assert/strict";
import fc from "fast-check";
import { readAttempt, resetOf } from "../../../../src/sandbox/init/refusals/packet.ts";

const FROM = [127, 0, 0, 1];
const TO = [192, 0, 2, 7];

function ipv4(protocol: number, payload: readonly number[]): Uint8Array<ArrayBuffer> {
  const length = 20 + payload.length;
  const header = [0x45, 0, length >> 8, length & 0xff, 0, 0, 0, 0, 64, protocol, 0, 0];
  return new Uint8Array([...header, ...FROM, ...TO, ...payload]);
}

const SYN = [0x9c, 0x40, 0, 25, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0x50, 2, 0, 0, 0, 0, 0, 0];
const DATAGRAM = [0x9c, 0x40, 0x11, 0x51, 0, 9, 0, 0, 120];

/** What RFC 1071 asks of whoever receives: the sum over everything is all ones. */
function sumsUp(bytes: readonly number[]): boolean {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += bytes[i]! << 8 | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum === 0xffff;
}

Deno.test("readAttempt() reads who wanted to reach what", () => {
  const from = { address: "127.0.0.1", port: 40_000 };
  assert.deepEqual(readAttempt(ipv4(6, SYN)), {
    ...{ protocol: "tcp", from, to: { address: "192.0.2.7", port: 25 } },
  });
  assert.deepEqual(readAttempt(ipv4(17, DATAGRAM)), {
    ...{ protocol: "udp", from, to: { address: "192.0.2.7", port: 4433 } },
  });
  const ipv6 = [0x60, 0, 0, 0, 0, 20, 6, 64, ...new Array(15).fill(0), 1, 0x20, 1, 0xd, 0xb8];
  const packet = new Uint8Array([...ipv6, ...new Array(11).fill(0), 7, ...SYN]);
  assert.equal(readAttempt(packet)?.to.address, "2001:db8:0:0:0:0:0:7");
});

Deno.test("readAttempt() takes nothing for an attempt that is none, and reads any bytes", () => {
  const answer = SYN.with(13, 0x12);
  assert.equal(readAttempt(ipv4(6, answer)), undefined);
  assert.equal(readAttempt(ipv4(1, DATAGRAM)), undefined);
  assert.equal(readAttempt(ipv4(6, SYN.slice(0, 12))), undefined);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 128 }), (bytes) => {
    readAttempt(new Uint8Array(bytes));
  }));
});

Deno.test("resetOf() resets a connection as the kernel would", () => {
  const reset = [...resetOf(ipv4(6, SYN))];
  assert.deepEqual([reset.slice(12, 16), reset.slice(16, 20)], [TO, FROM]);
  assert.deepEqual(reset.slice(20, 24), [0, 25, 0x9c, 0x40]);
  assert.deepEqual(reset.slice(28, 32), [0, 0, 0, 0], "one more than what was sent");
  assert.equal(reset[33], 0x14);
  assert.ok(sumsUp(reset.slice(0, 20)));
  assert.ok(sumsUp([...TO, ...FROM, 0, 6, 0, 20, ...reset.slice(20)]));
});
