import { Buffer } from "node:buffer";
import type { PlaceholderSearch } from "../../secrets/placeholder_search.ts";
import { PlaceholderWatch } from "../../secrets/placeholder_watch.ts";
import { JsonSwapper } from "./request_json.ts";
import { type Place, PlaceholderRefusal, type Resolve, type Swapper } from "./request_place.ts";
import {
  CONTINUATION,
  FINAL,
  formatHead,
  headSize,
  IS_CONTROL,
  LONGEST_CONTROL,
  MASKED,
  OPCODE,
  payloadSize,
  RESERVED,
  TEXT,
} from "./web_socket_frame.ts";

const MASK_SIZE = 4;

/**
 * The frames of a client (RFC 6455, 5), with secrets in place of placeholders in members for secrets
 * of what it sends as JSON. Anything else of a message is watched. A message may leave in other
 * fragments than it came in; as much as is known of it leaves at once.
 */
export class SwappedWebSocket {
  readonly #search: PlaceholderSearch;
  readonly #resolve: Resolve;
  #head: number[] = [];
  /** Bytes of the frame that are still to come. */
  #left = 0;
  #mask: readonly number[] = [];
  /** Where in the mask the next byte stands. */
  #turn = 0;
  #isFinal = false;
  #isControl = false;
  /** What the next fragment of the message goes out as. */
  #opcode = CONTINUATION;
  #message: Swapper | undefined;
  /** The control frame that is coming: its first byte, and what has come of it. */
  #control: ControlFrame | undefined;

  constructor(search: PlaceholderSearch, resolve: Resolve) {
    this.#search = search;
    this.#resolve = resolve;
  }

  /** What goes on to the upstream. Throws a {@linkcode PlaceholderRefusal} where nothing may. */
  push(piece: Uint8Array): Uint8Array {
    const out: Buffer[] = [];
    for (let at = 0; at < piece.length;) {
      if (this.#left > 0) {
        const part = piece.subarray(at, at + this.#left);
        at += part.length;
        this.#left -= part.length;
        this.#payload(this.#unmasked(part), out);
        continue;
      }
      this.#head.push(piece[at++]!);
      if (this.#head.length === maskedHeadSize(this.#head)) this.#begin(out);
    }
    return Buffer.concat(out);
  }

  #begin(out: Buffer[]): void {
    const head = Buffer.from(this.#head);
    const [first, second] = head as unknown as [number, number];
    this.#head = [];
    if ((first & RESERVED) !== 0) throw malformed("is coded in a way that nobody agreed to");
    if ((second & MASKED) === 0) throw malformed("is not masked");
    const size = payloadSize(head);
    if (size === undefined) throw malformed("is longer than any");
    this.#left = size;
    this.#mask = [...head.subarray(-MASK_SIZE)];
    this.#turn = 0;
    this.#isFinal = (first & FINAL) !== 0;
    this.#isControl = (first & IS_CONTROL) !== 0;
    if (this.#isControl) {
      if (this.#left > LONGEST_CONTROL || !this.#isFinal) throw malformed("is no control frame");
      this.#control = { first, watch: new Watched(this.#search, this.#resolve), parts: [] };
    } else this.#beginFragment(first & OPCODE);
    if (this.#left === 0) this.#payload(new Uint8Array(), out);
  }

  #beginFragment(opcode: number): void {
    if ((opcode === CONTINUATION) !== (this.#message !== undefined)) {
      throw malformed("is not the next one of its message");
    }
    if (opcode === CONTINUATION) return;
    this.#opcode = opcode;
    this.#message = opcode === TEXT
      ? new JsonSwapper("websocket", this.#search, this.#resolve)
      : new Watched(this.#search, this.#resolve);
  }

  #payload(part: Uint8Array, out: Buffer[]): void {
    const ends = this.#left === 0;
    if (this.#isControl) {
      const { first, watch, parts } = this.#control!;
      parts.push(...watch.push(part));
      if (ends) out.push(frame(first, Buffer.concat(parts)));
      return;
    }
    const last = ends && this.#isFinal;
    const message = this.#message!;
    const known = Buffer.concat([...message.push(part), ...last ? message.end() : []]);
    if (known.length === 0 && !last) return;
    out.push(frame((last ? FINAL : 0) | this.#opcode, known));
    this.#opcode = CONTINUATION;
    if (last) this.#message = undefined;
  }

  #unmasked(part: Uint8Array): Uint8Array {
    const plain = new Uint8Array(part.length);
    for (let i = 0; i < part.length; i++) {
      plain[i] = part[i]! ^ this.#mask[this.#turn]!;
      this.#turn = (this.#turn + 1) % MASK_SIZE;
    }
    return plain;
  }
}

interface ControlFrame {
  readonly first: number;
  readonly watch: Swapper;
  readonly parts: Uint8Array[];
}

/** What is no text goes on as it came; no place in it is for secrets. */
class Watched implements Swapper {
  readonly #watch: PlaceholderWatch;
  readonly #resolve: Resolve;

  constructor(search: PlaceholderSearch, resolve: Resolve) {
    this.#watch = new PlaceholderWatch(search);
    this.#resolve = resolve;
  }

  push(piece: Uint8Array): Uint8Array[] {
    const place: Place = { kind: "websocket", name: "" };
    for (const found of this.#watch.push(piece)) this.#resolve(found, place);
    return [piece];
  }

  end(): Uint8Array[] {
    return [];
  }
}

function malformed(state: string): PlaceholderRefusal {
  return new PlaceholderRefusal(`a WebSocket frame of the agent ${state}`);
}

function maskedHeadSize(known: readonly number[]): number {
  const isMasked = known.length > 1 && (known[1]! & MASKED) !== 0;
  return headSize(known, known.length) + (isMasked ? MASK_SIZE : 0);
}

/** With a mask of its own that nobody can foresee (RFC 6455, 5.3). */
function frame(first: number, payload: Buffer): Buffer {
  const mask = crypto.getRandomValues(new Uint8Array(MASK_SIZE));
  const size = payload.length;
  const head = formatHead(first, size);
  head[1]! |= MASKED;
  const masked = Buffer.allocUnsafe(size);
  for (let i = 0; i < size; i++) masked[i] = payload[i]! ^ mask[i % MASK_SIZE]!;
  return Buffer.concat([head, mask, masked]);
}
