import { gunzipSync, zstdDecompressSync } from "node:zlib";
import type { ClosedFile } from "../../audit/closed_file.ts";
import { LogReader } from "./log_reader.ts";

const NEWLINE = 0x0a;

/** The lines of a closed file, once, as {@linkcode LogReader} has those of one that grows. */
export interface ClosedLines {
  read(): Generator<Uint8Array>;
  seekBack(visit: (line: Uint8Array) => "take" | "look" | "stop"): void;
  close(): void;
}

/** Opens a closed file; one that is compressed is unpacked in memory when it is read. */
export function closedLines({ path, packing }: ClosedFile): ClosedLines {
  return packing === "plain" ? new LogReader(path) : new PackedLines(path, packing);
}

class PackedLines implements ClosedLines {
  readonly #path: string;
  readonly #packing: "gzip" | "zstd";
  #bytes: Uint8Array | undefined;
  #from = 0;

  constructor(path: string, packing: "gzip" | "zstd") {
    this.#path = path;
    this.#packing = packing;
  }

  *read(): Generator<Uint8Array> {
    const bytes = this.#unpacked();
    while (this.#from < bytes.length) {
      const newline = bytes.indexOf(NEWLINE, this.#from);
      if (newline < 0) break;
      const line = bytes.subarray(this.#from, newline);
      this.#from = newline + 1;
      yield line;
    }
    this.close();
  }

  seekBack(visit: (line: Uint8Array) => "take" | "look" | "stop"): void {
    const bytes = this.#unpacked();
    this.#from = bytes.length;
    for (let end = bytes.lastIndexOf(NEWLINE); end > 0;) {
      const start = bytes.lastIndexOf(NEWLINE, end - 1) + 1;
      const verdict = visit(bytes.subarray(start, end));
      if (verdict === "stop") return;
      if (verdict === "take") this.#from = start;
      end = start - 1;
    }
  }

  close(): void {
    this.#bytes = new Uint8Array();
  }

  #unpacked(): Uint8Array {
    return this.#bytes ??= unpack(this.#path, this.#packing);
  }
}

/** Nothing for a file that was dropped since it was listed. */
function unpack(path: string, packing: "gzip" | "zstd"): Uint8Array {
  try {
    const bytes = Deno.readFileSync(path);
    return packing === "gzip" ? gunzipSync(bytes) : zstdDecompressSync(bytes);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return new Uint8Array();
    throw cause;
  }
}
