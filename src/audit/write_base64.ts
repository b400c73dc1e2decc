const DIGITS = new TextEncoder().encode(
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
);
const PADDING = "=".charCodeAt(0);

/** Writes `bytes` in base64 (RFC 4648, 4) at a place of `target`, without making a text of it. */
export function writeBase64(bytes: Uint8Array, target: Uint8Array, start: number): void {
  let at = start;
  for (let i = 0; i < bytes.length; i += 3) {
    const three = bytes[i]! << 16 | (bytes[i + 1] ?? 0) << 8 | (bytes[i + 2] ?? 0);
    target[at++] = DIGITS[three >> 18]!;
    target[at++] = DIGITS[three >> 12 & 63]!;
    target[at++] = i + 1 < bytes.length ? DIGITS[three >> 6 & 63]! : PADDING;
    target[at++] = i + 2 < bytes.length ? DIGITS[three & 63]! : PADDING;
  }
}
