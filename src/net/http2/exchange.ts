import { type Body, ConnectionEnded } from "../byte_source.ts";
import { endToEndTrailers } from "../http/end_to_end.ts";
import type { Exchange, FieldList, OutgoingResponse } from "../http/exchange.ts";
import { ReplayBody } from "../http/replay_body.ts";
import * as h2 from "./frame.ts";
import type { MessageHead } from "./message_rules.ts";
import type { Http2Stream } from "./stream.ts";

/** How long what is left of a request is thrown away before it is refused. */
const DISCARD_MS = 100;
const NOTHING = new Uint8Array();

/** One request on an HTTP/2 connection. */
export class Http2Exchange implements Exchange {
  readonly version = "2.0";
  readonly scheme: "http" | "https";
  readonly spellings = undefined;
  readonly wantsWebSocket = false;
  readonly method: string;
  readonly authority: string | undefined;
  readonly target: string;
  readonly fields: FieldList;
  readonly body: ReplayBody | undefined;
  onGone: (() => void) | undefined;
  #awaitsContinue: boolean;
  #gone = false;
  #answered = false;
  readonly #stream: Http2Stream;

  constructor(stream: Http2Stream, head: MessageHead, scheme: "http" | "https") {
    this.#stream = stream;
    this.scheme = scheme;
    const host = head.fields.find(([name]) => name === "host")?.[1];
    this.method = head.pseudo.get(":method") ?? "";
    this.authority = head.pseudo.get(":authority") ?? host;
    this.target = head.pseudo.get(":path") ?? "";
    this.fields = joinCookies(head.fields);
    stream.length = head.length;
    this.body = stream.receivedAll ? undefined : new ReplayBody(stream, () => this.inform(100, []));
    this.#awaitsContinue = this.body !== undefined &&
      head.fields.some(([name, value]) => name === "expect" && /^100-continue$/i.test(value));
    stream.handler = {
      head: () => {},
      closed: (code) => {
        if (code === undefined) return;
        this.#gone = true;
        this.onGone?.();
      },
    };
  }

  get awaitsContinue(): boolean {
    return this.#awaitsContinue;
  }

  get gone(): boolean {
    return this.#gone;
  }

  inform(status: number, fields: FieldList): void {
    if (this.#answered || this.#stream.over) return;
    if (status === 100) {
      if (!this.#awaitsContinue) return;
      this.#awaitsContinue = false;
    } else if (this.#stream.room() !== undefined) {
      return; // hints to a client that does not read would pile up
    }
    this.#stream.sendHead([[":status", String(status)], ...fields], false);
  }

  async respond(response: OutgoingResponse, progress?: (bytes: number) => void): Promise<void> {
    this.#answered = true;
    const { status, fields, body } = response;
    const bodiless = body === undefined || this.method === "HEAD";
    const room = this.#stream.room();
    if (room !== undefined) await room;
    this.#stream.sendHead([[":status", String(status)], ...fields], bodiless);
    if (!bodiless) {
      if (body instanceof Uint8Array) {
        await this.#stream.send(body, true);
        progress?.(body.length);
      } else {
        await this.#sendBody(body, progress);
      }
    }
    if (this.#stream.receivedAll) this.#stream.drop();
    else this.#discardRest();
  }

  abort(): void {
    this.onGone = undefined;
    this.#stream.reset(h2.CANCEL);
  }

  async #sendBody(body: Body, progress?: (bytes: number) => void): Promise<void> {
    for (;;) {
      const piece = body.take();
      if (piece === null) break;
      if (piece === undefined) {
        await body.wait();
        continue;
      }
      if (this.#gone) throw new ConnectionEnded("client went away");
      progress?.(piece.length);
      const sent = this.#stream.send(piece, false);
      if (sent !== undefined) await sent;
    }
    const trailers = endToEndTrailers(body.trailers);
    if (trailers.length > 0) {
      await this.#stream.room();
      this.#stream.sendHead(trailers, true);
    } else await this.#stream.send(NOTHING, true);
  }

  /**
   * What the client still sends of its request is not wanted any more (RFC 9113, 8.1). It is not
   * told so at once: curl 7 drops a response that comes together with the reset.
   */
  #discardRest(): void {
    const stream = this.#stream;
    const timer = setTimeout(() => stream.reset(h2.NO_ERROR), DISCARD_MS);
    const closed = () => {
      clearTimeout(timer);
      stream.drop();
    };
    stream.handler = { head: () => {}, closed };
  }
}

/** RFC 9113, 8.2.3: crumbs of a cookie become one field again for whoever does not speak HTTP/2. */
function joinCookies(fields: [string, string][]): FieldList {
  const cookies = fields.filter(([name]) => name === "cookie");
  if (cookies.length < 2) return fields;
  const joined = cookies.map(([, value]) => value).join("; ");
  return [...fields.filter(([name]) => name !== "cookie"), ["cookie", joined]];
}
