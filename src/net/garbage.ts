/** Bytes that are read between two collections. */
const ENOUGH = 16_777_216;

/** Present when the program runs with `--expose-gc`, as firma does. */
type Collector = typeof globalThis & { gc?: (options: { readonly type: "minor" }) => void };

let handedOver = 0;

/**
 * Counts a buffer that was made for something read, and collects those that are done with once
 * there are many. The engine sees only the small objects that stand for them and would
 * let hundreds of megabytes pile up.
 */
export function countBuffer({ buffer }: Uint8Array): void {
  handedOver += buffer.byteLength;
  if (handedOver < ENOUGH) return;
  handedOver = 0;
  (globalThis as Collector).gc?.({ type: "minor" });
}
