import { Http2Client as Http2ConnClient } from "../../fixtures/http2_client.ts";
import type { Harness } from "./_harness.ts";
import { openTlsTunnel } from "./_raw.ts";

/** An HTTP/2 client in the sandbox: CONNECT, TLS, then streams. */
export class Http2Client extends Http2ConnClient {
  /** `streamWindow` is how much of a response may come before it is read. */
  static async open(harness: Harness, host: string, streamWindow?: number): Promise<Http2Client> {
    const raw = await openTlsTunnel(harness, host, { alpn: ["h2"] });
    return new Http2Client(raw.conn, host, streamWindow);
  }
}
