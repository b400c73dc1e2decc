import { err, ok, type Result } from "../../core/result.ts";

/** A piece of a git protocol stream (gitprotocol-common, "pkt-line Format"). */
export type Packet =
  | { readonly kind: "data"; readonly payload: Uint8Array; readonly end: number }
  | { readonly kind: "flush"; readonly end: number }
  /** More bytes are needed to tell. */
  | { readonly kind: "cut" };

const LENGTH = /^[0-9a-fA-F]{4}$/;

/** The packet that starts at `at`; the error says why there is none. */
export function packetAt(bytes: Uint8Array, at: number): Result<Packet, string> {
  if (at + 4 > bytes.length) return ok({ kind: "cut" });
  const digits = String.fromCharCode(...bytes.subarray(at, at + 4));
  if (!LENGTH.test(digits)) return err("a packet has no length");
  const length = Number.parseInt(digits, 16);
  if (length === 0) return ok({ kind: "flush", end: at + 4 });
  // 1 and 2 are marks of protocol version 2, 3 is nothing.
  if (length < 4) return err("a packet is of a kind that does not belong here");
  const end = at + length;
  if (end > bytes.length) return ok({ kind: "cut" });
  return ok({ kind: "data", payload: bytes.subarray(at + 4, end), end });
}

/** A packet with this payload. */
export function packet(payload: Uint8Array): Uint8Array {
  const head = (payload.length + 4).toString(16).padStart(4, "0");
  const bytes = new Uint8Array(payload.length + 4);
  for (let i = 0; i < 4; i++) bytes[i] = head.charCodeAt(i);
  bytes.set(payload, 4);
  return bytes;
}
