import { nodeModule } from "./node_module.ts";
import { sha256 } from "./sha256.ts";

/** Bytes that a thread hashes without Node's module: what a start has to. */
const FIRST_BYTES = 131_072;

let left = FIRST_BYTES;
let native: typeof import("node:crypto").hash | undefined;

/**
 * The SHA-256 digest (FIPS 180-4), in lower-case hex, of as much as one likes: by firma's own code
 * first, and by Node's, which is a hundred times as fast and takes 50 ms to load, from then on.
 */
export function hashHex(data: Uint8Array | string): string {
  if (native === undefined) {
    left -= data.length;
    if (left >= 0) return sha256(data);
    native = nodeModule("node:crypto").hash;
  }
  return native("sha256", data, "hex");
}
