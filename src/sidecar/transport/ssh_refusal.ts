import { Buffer } from "node:buffer";

/** Where clients look for SSH. */
export const SSH_PORT = 22;

const IDENTIFICATION = "SSH-2.0-firma\r\n";
const DISCONNECT = 1;
const HOST_NOT_ALLOWED_TO_CONNECT = 1;
/** Packets come in multiples of this, and have at least so much padding. */
const BLOCK_BYTES = 8;
const LEAST_PADDING = 4;

/**
 * What a client of SSH shows as the reason why its server hung up: the server's identification and
 * `SSH_MSG_DISCONNECT`, which needs no key exchange (RFC 4253, 4.2, 6 and 11.1).
 */
export function sshRefusal(text: string): Buffer {
  const reason = Buffer.alloc(5);
  reason[0] = DISCONNECT;
  reason.writeUInt32BE(HOST_NOT_ALLOWED_TO_CONNECT, 1);
  const payload = Buffer.concat([reason, lengthAnd(text), lengthAnd("")]);
  let padding = LEAST_PADDING;
  while ((4 + 1 + payload.length + padding) % BLOCK_BYTES !== 0) padding++;
  const head = Buffer.alloc(5);
  head.writeUInt32BE(1 + payload.length + padding, 0);
  head[4] = padding;
  return Buffer.concat([Buffer.from(IDENTIFICATION), head, payload, Buffer.alloc(padding)]);
}

function lengthAnd(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
