import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { Peer, TunnelClaim } from "../../gate.ts";
import { type Body, ConnectionEnded } from "../byte_source.ts";
import type { Exchange, FieldList, OutgoingResponse } from "../exchange.ts";
import { ReplayBody } from "../replay_body.ts";
import { addFields, sendTrailers } from "./fields.ts";
import { StreamBody } from "./stream_body.ts";

const DISCARD_MS = 100;

/** Whose stream it is. */
export interface StreamContext {
  readonly peer: Peer;
  readonly tunnel: TunnelClaim;
  readonly highWater: number;
}

/** One request on an HTTP/2 connection of an agent. */
export class Http2Exchange implements Exchange {
  readonly version = "2.0";
  readonly scheme = "https";
  readonly spellings = undefined;
  readonly wantsWebSocket = false;
  readonly peer: Peer;
  readonly tunnel: TunnelClaim;
  readonly method: string;
  readonly authority: string | undefined;
  readonly target: string;
  readonly fields: FieldList;
  readonly body: ReplayBody | undefined;
  onGone: (() => void) | undefined;
  #awaitsContinue: boolean;
  #gone = false;
  #over = false;
  readonly #stream: ServerHttp2Stream;

  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    fields: [string, string][],
    ended: boolean,
    { peer, tunnel, highWater }: StreamContext,
  ) {
    this.#stream = stream;
    this.peer = peer;
    this.tunnel = tunnel;
    this.method = headers[":method"] ?? "";
    this.authority = headers[":authority"] ?? headers.host;
    this.target = headers[":path"] ?? "";
    this.fields = joinCookies(fields);
    const length = headers["content-length"];
    const body = ended
      ? undefined
      : new StreamBody(stream, length === undefined ? undefined : Number(length), highWater);
    this.body = body && new ReplayBody(body, () => this.inform(100, []));
    this.#awaitsContinue = !ended && headers.expect?.toLowerCase() === "100-continue";
    stream.on("close", this.#onClose);
    stream.on("aborted", this.#onClose);
    stream.on("error", this.#onClose);
  }

  get awaitsContinue(): boolean {
    return this.#awaitsContinue;
  }

  get gone(): boolean {
    return this.#gone;
  }

  inform(status: number, fields: FieldList): void {
    if (this.#stream.headersSent || this.#stream.destroyed || this.#stream.closed) return;
    if (status === 100) {
      if (!this.#awaitsContinue) return;
      this.#awaitsContinue = false;
    }
    this.#stream.additionalHeaders(addFields({ ":status": status }, fields));
  }

  async respond(response: OutgoingResponse, progress?: (bytes: number) => void): Promise<void> {
    const stream = this.#stream;
    this.#check();
    const { status, fields, body } = response;
    const headers = addFields({ ":status": status }, fields);
    if (body === undefined || this.method === "HEAD") {
      stream.respond(headers, { endStream: true });
    } else if (body instanceof Uint8Array) {
      stream.respond(headers);
      stream.end(body);
      progress?.(body.length);
    } else {
      stream.respond(headers, { waitForTrailers: true });
      stream.once("wantTrailers", () => sendTrailers(stream, body.trailers));
      await this.#sendBody(body, progress);
      stream.end();
    }
    this.#over = true;
    if (this.body?.begun === true && !this.body.done) this.#discardRest();
  }

  /**
   * What the agent still sends of its request is not wanted any more (RFC 9113, 8.1). Not at
   * once: curl 7 drops a response that comes together with the reset.
   */
  #discardRest(): void {
    const stream = this.#stream;
    stream.resume();
    const timer = setTimeout(() => stream.close(constants.NGHTTP2_NO_ERROR), DISCARD_MS);
    stream.once("close", () => clearTimeout(timer));
  }

  abort(): void {
    this.#over = true;
    if (!this.#stream.destroyed) this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  async #sendBody(body: Body, progress?: (bytes: number) => void): Promise<void> {
    for (;;) {
      const piece = body.take();
      if (piece === null) return;
      if (piece === undefined) {
        await body.wait();
        continue;
      }
      progress?.(piece.length);
      // The piece is borrowed until the next take: wait until the stream is done with it.
      await new Promise<void>((resolve) => {
        this.#written = resolve;
        this.#stream.write(piece, () => resolve());
      });
      this.#check();
    }
  }

  #written: (() => void) | undefined;

  #check(): void {
    if (this.#gone || this.#stream.destroyed) throw new ConnectionEnded("client went away");
  }

  readonly #onClose = (): void => {
    this.#gone = true;
    this.#written?.();
    if (!this.#over) this.onGone?.();
  };
}

/** RFC 9113, 8.2.3: crumbs of a cookie become one field again for whoever does not speak HTTP/2. */
function joinCookies(fields: [string, string][]): FieldList {
  const cookies = fields.filter(([name]) => name === "cookie");
  if (cookies.length < 2) return fields;
  const joined = cookies.map(([, value]) => value).join("; ");
  return [...fields.filter(([name]) => name !== "cookie"), ["cookie", joined]];
}
