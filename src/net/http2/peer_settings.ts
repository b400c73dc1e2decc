import type { Buffer } from "node:buffer";
import * as h2 from "./frame.ts";

/** What the peer has said of itself (RFC 9113, 6.5.2). */
export class PeerSettings {
  /** The window that a new stream begins with. */
  window = h2.DEFAULT_WINDOW;
  maxFrame = h2.DEFAULT_MAX_FRAME;
  maxStreams = Infinity;

  /** Applies a SETTINGS frame; returns by how much the window of each open stream grows. */
  apply(payload: Buffer): number {
    let widened = 0;
    for (let at = 0; at < payload.length; at += 6) {
      const value = payload.readUInt32BE(at + 2);
      switch (payload.readUInt16BE(at)) {
        case h2.MAX_CONCURRENT_STREAMS:
          this.maxStreams = value;
          break;
        case h2.INITIAL_WINDOW_SIZE:
          if (value > h2.MAX_WINDOW) {
            throw new h2.ConnectionError(h2.FLOW_CONTROL_ERROR, "initial window is too large");
          }
          widened += value - this.window;
          this.window = value;
          break;
        case h2.MAX_FRAME_SIZE:
          if (value < h2.DEFAULT_MAX_FRAME || value > 0xff_ffff) {
            throw new h2.ConnectionError(h2.PROTOCOL_ERROR, "frame size is out of range");
          }
          // Larger frames gain nothing and would keep other streams waiting.
          break;
        case h2.ENABLE_PUSH:
          if (value > 1) {
            throw new h2.ConnectionError(h2.PROTOCOL_ERROR, "ENABLE_PUSH is not 0 or 1");
          }
      }
    }
    return widened;
  }
}
