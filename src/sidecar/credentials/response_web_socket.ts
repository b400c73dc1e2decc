import { Buffer } from "node:buffer";
import { Masker } from "../../secrets/masker.ts";
import type { SessionSecrets } from "../../secrets/session_secrets.ts";
import { searched, unseen } from "./response_failure.ts";
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
} from "./web_socket_frame.ts";

const LONGEST_HEAD = 10;

/**
 * The frames of a server (RFC 6455, 5) without the secrets in their messages. A message may leave in
 * other fragments than it came in; frames that came whole leave whole.
 */
export class MaskedWebSocket {
  readonly #masker: Masker;
  readonly #head = Buffer.alloc(LONGEST_HEAD);
  #headSize = 0;
  /** Bytes of the frame that are still to come. */
  #left = 0;
  #isFinal = false;
  #isControl = false;
  /** What the next fragment of the message goes out as. */
  #opcode = CONTINUATION;
  #inMessage = false;
  #control: Buffer[] = [];
  readonly #secrets: SessionSecrets;

  constructor(secrets: SessionSecrets) {
    this.#secrets = secrets;
    this.#masker = new Masker(() => secrets.table);
  }

  /** What goes on to the agent. Throws where it cannot be searched. */
  push(piece: Uint8Array): Uint8Array {
    return searched(() => this.#masked(piece));
  }

  #masked(piece: Uint8Array): Buffer {
    const parts: Buffer[] = [];
    for (let at = 0; at < piece.length;) {
      if (this.#left > 0) {
        const part = piece.subarray(at, at + this.#left);
        at += part.length;
        this.#left -= part.length;
        this.#payload(part, parts);
        continue;
      }
      this.#head[this.#headSize++] = piece[at++]!;
      if (this.#headSize === headSize(this.#head, this.#headSize)) this.#begin(parts);
    }
    return Buffer.concat(parts);
  }

  #begin(parts: Buffer[]): void {
    const [first, second] = this.#head as unknown as [number, number];
    if ((first & RESERVED) !== 0) throw unseen("WebSocket frame is coded");
    if ((second & MASKED) !== 0) throw unseen("WebSocket frame of the server is masked");
    const size = payloadSize(this.#head);
    if (size === undefined) throw unseen("WebSocket frame is malformed");
    this.#left = size;
    this.#headSize = 0;
    this.#isFinal = (first & FINAL) !== 0;
    this.#isControl = (first & IS_CONTROL) !== 0;
    const opcode = first & OPCODE;
    if (this.#isControl) {
      if (this.#left > LONGEST_CONTROL || !this.#isFinal) {
        throw unseen("WebSocket frame is malformed");
      }
      this.#control = [Buffer.from([first])];
    } else {
      if ((opcode === CONTINUATION) !== this.#inMessage) {
        throw unseen("WebSocket message is malformed");
      }
      if (opcode !== CONTINUATION) this.#opcode = opcode;
      this.#inMessage = true;
    }
    if (this.#left === 0) this.#payload(Buffer.alloc(0), parts);
  }

  #payload(part: Uint8Array, parts: Buffer[]): void {
    const ends = this.#left === 0;
    if (this.#isControl) {
      this.#control.push(Buffer.from(part));
      if (ends) parts.push(this.#controlFrame());
      return;
    }
    const known = Buffer.from(this.#masker.push(part));
    const last = ends && this.#isFinal;
    const payload = last ? Buffer.concat([known, this.#masker.end()]) : known;
    if (payload.length === 0 && !last) return;
    parts.push(frame((last ? FINAL : 0) | this.#opcode, payload));
    this.#opcode = CONTINUATION;
    if (last) this.#inMessage = false;
  }

  /** A ping, a pong, or a close with its reason: too short for a placeholder of another size. */
  #controlFrame(): Buffer {
    const [first, ...rest] = this.#control;
    const masker = new Masker(() => this.#secrets.table, { sameSize: true });
    const known = Buffer.from(masker.push(Buffer.concat(rest)));
    return frame(first![0]!, Buffer.concat([known, masker.end()]));
  }
}

function frame(first: number, payload: Buffer): Buffer {
  return Buffer.concat([formatHead(first, payload.length), payload]);
}
