import { constants, gunzipSync } from "node:zlib";
import { err, ok, type Result } from "../../core/result.ts";
import type { Decoder, Headers } from "./decoder.ts";

/**
 * A body without its content encoding, or why that cannot be. Encodings other than
 * gzip, gzip where the decoder does not expect it, and what unpacks to more than
 * `limit` bytes are refused; of a body that was cut, what is there comes back.
 */
export function withoutContentEncoding(
  decoder: Decoder,
  headers: Headers,
  { bytes, whole }: { readonly bytes: Uint8Array; readonly whole: boolean },
  limit: number,
): Result<{ readonly bytes: Uint8Array; readonly whole: boolean }, string> {
  const encodings = headers
    .flatMap(([name, value]) => name === "content-encoding" ? value.split(",") : [])
    .map((encoding) => encoding.trim().toLowerCase())
    .filter((encoding) => encoding !== "" && encoding !== "identity");
  if (encodings.length === 0) return ok({ bytes, whole });
  const [encoding] = encodings;
  if (encodings.length > 1 || (encoding !== "gzip" && encoding !== "x-gzip") || !decoder.gzip) {
    return err("it is compressed");
  }
  try {
    const finishFlush = whole ? constants.Z_FINISH : constants.Z_SYNC_FLUSH;
    // With `info`, node:zlib also says how much of the input it took; its types do not know that.
    const { buffer, engine } = gunzipSync(
      bytes,
      { maxOutputLength: limit, finishFlush, info: true } as object,
    ) as unknown as { buffer: Uint8Array; engine: { bytesWritten: number } };
    if (whole && engine.bytesWritten !== bytes.length) return err("there is something behind it");
    return ok({ bytes: buffer, whole });
  } catch {
    return err("it does not unpack, or is too large");
  }
}
