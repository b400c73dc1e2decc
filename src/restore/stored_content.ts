import { join } from "../core/path.ts";
import { checked, libc } from "./libc.ts";
import type { FileEntry, SnapshotHeader } from "./manifest.ts";
import { openRegular } from "./open_path.ts";

const PIECE = 1 << 20;

/** Reads the contents that a snapshot holds. To be disposed of. */
export class StoredContent implements Disposable {
  readonly #store: string;
  readonly #sources: readonly string[];
  readonly #descriptors = new Map<number, number>();
  readonly #mine = new Uint8Array(PIECE);
  readonly #theirs = new Uint8Array(PIECE);

  constructor(store: string, { sources }: SnapshotHeader) {
    this.#store = store;
    this.#sources = sources;
  }

  /**
   * The content of a file piece by piece; each is valid until the next.
   *
   * @throws what reading throws, and an `Error` where something is missing
   */
  *pieces({ source, offset, size }: FileEntry): Generator<Uint8Array<ArrayBuffer>> {
    const descriptor = this.#open(source);
    for (let at = 0; at < size;) {
      const wanted = this.#mine.subarray(0, Math.min(PIECE, size - at));
      const length = checked(
        libc().pread(descriptor, wanted, BigInt(wanted.length), BigInt(offset + at)),
      );
      if (length === 0) throw new Error("the snapshot is torn");
      yield wanted.subarray(0, length);
      at += length;
    }
  }

  /** Whether an open file has exactly this content. */
  isSame(entry: FileEntry, descriptor: number): boolean {
    let at = 0;
    for (const piece of this.pieces(entry)) {
      for (let checkedTo = 0; checkedTo < piece.length;) {
        const rest = this.#theirs.subarray(0, piece.length - checkedTo);
        const length = checked(
          libc().pread(descriptor, rest, BigInt(rest.length), BigInt(at + checkedTo)),
        );
        if (length === 0) return false;
        if (!equal(piece.subarray(checkedTo, checkedTo + length), rest.subarray(0, length))) {
          return false;
        }
        checkedTo += length;
      }
      at += piece.length;
    }
    return true;
  }

  #open(source: number): number {
    const known = this.#descriptors.get(source);
    if (known !== undefined) return known;
    // A snapshot may share contents with many others; each would stay open.
    if (this.#descriptors.size >= 64) this[Symbol.dispose]();
    const descriptor = openRegular(join(this.#store, this.#sources[source]!));
    this.#descriptors.set(source, descriptor);
    return descriptor;
  }

  [Symbol.dispose](): void {
    for (const descriptor of this.#descriptors.values()) libc().close(descriptor);
    this.#descriptors.clear();
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
