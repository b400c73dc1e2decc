import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from "node:zlib";

type Headers = readonly (readonly [string, string])[];

/** Larger than this unpacks no call that somebody makes by hand or by program. */
const MOST_CODINGS = 2;

const UNPACK: Readonly<
  Record<string, (body: Uint8Array, options: { maxOutputLength: number }) => Uint8Array>
> = {
  "gzip": gunzipSync,
  "x-gzip": gunzipSync,
  "deflate": inflateSync,
  "br": brotliDecompressSync,
  "zstd": zstdDecompressSync,
};

/** The names of what a body is packed with, the last one first (RFC 9110, 8.4). */
export function packedWith(headers: Headers): string[] {
  return headers
    .flatMap(([name, value]) => name === "content-encoding" ? value.split(",") : [])
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => Object.hasOwn(UNPACK, coding))
    .reverse();
}

/**
 * The body as it was before it was packed, itself when it was not. `undefined` when it does not
 * unpack to at most `limit` bytes. What is no packing, such as `aws-chunked`, stays.
 */
export function unpacked(
  body: Uint8Array,
  headers: Headers,
  limit: number,
): Uint8Array | undefined {
  const codings = packedWith(headers);
  if (codings.length > MOST_CODINGS) return undefined;
  try {
    return codings.reduce(
      (bytes, coding) => UNPACK[coding]!(bytes, { maxOutputLength: limit }),
      body,
    );
  } catch {
    return undefined;
  }
}
