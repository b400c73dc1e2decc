import { join } from "../core/path.ts";
import { checked, libc, withDescriptor } from "./libc.ts";

/** Larger contents have a file of their own, which the file system may share with the original. */
const LARGE = 1 << 20;

const BUFFER = 4 << 20;

/** Makes a file share the blocks of another one (ioctl_ficlone(2)); the file's own number first. */
const FICLONE = 0x40049409n;

/** Where a content lies. */
export interface Place {
  /** Name of a file in the directory of the snapshot. */
  readonly file: string;
  readonly offset: number;
  /** How much there was to read; the file may have become shorter meanwhile. */
  readonly size: number;
}

/**
 * Writes the contents of files into the directory of a snapshot: small ones one after the other
 * into a single file, because making a file takes longer than copying it.
 */
export class ContentWriter {
  readonly #directory: string;
  readonly #isCancelled: () => boolean;
  readonly #buffer = new Uint8Array(BUFFER);
  #used = 0;
  #written = 0;
  #pack: Deno.FsFile | undefined;
  #large = 0;

  /** `isCancelled` is asked between pieces; the copy then ends with {@linkcode Cancelled}. */
  constructor(directory: string, isCancelled: () => boolean) {
    this.#directory = directory;
    this.#isCancelled = isCancelled;
  }

  /**
   * Copies an open file of about `size` bytes.
   *
   * @throws what reading or writing throws
   */
  add(descriptor: number, size: number): Place {
    return size >= LARGE ? this.#addLarge(descriptor) : this.#addSmall(descriptor, size);
  }

  /** Writes what is left. */
  close(): void {
    this.#flush();
    this.#pack?.close();
  }

  #addSmall(descriptor: number, size: number): Place {
    if (this.#used + size > BUFFER) this.#flush();
    const start = this.#used;
    while (this.#used < start + size) {
      const rest = this.#buffer.subarray(this.#used, start + size);
      const length = checked(libc().read(descriptor, rest, BigInt(rest.length)));
      if (length === 0) break;
      this.#used += length;
    }
    return { file: "pack", offset: this.#written + start, size: this.#used - start };
  }

  #flush(): void {
    if (this.#used === 0) return;
    this.#pack ??= Deno.openSync(join(this.#directory, "pack"), NEW_FILE);
    writeAll(this.#pack, this.#buffer.subarray(0, this.#used));
    this.#written += this.#used;
    this.#used = 0;
  }

  #addLarge(descriptor: number): Place {
    const file = `large-${this.#large++}`;
    const path = join(this.#directory, file);
    using copy = Deno.openSync(path, NEW_FILE);
    if (!clone(descriptor, path)) {
      this.#flush();
      for (;;) {
        if (this.#isCancelled()) throw new Cancelled();
        const length = checked(libc().read(descriptor, this.#buffer, BigInt(BUFFER)));
        if (length === 0) break;
        writeAll(copy, this.#buffer.subarray(0, length));
      }
    }
    return { file, offset: 0, size: copy.statSync().size };
  }
}

/** Thrown where a snapshot is not wanted any more. */
export class Cancelled extends Error {
  constructor() {
    super("Cancelled");
    this.name = "Cancelled";
  }
}

const NEW_FILE = { write: true, createNew: true, mode: 0o600 } as const;
const O_WRONLY_CLOEXEC = 1 | 0o2000000;

/** Whether the file system could share the blocks. */
function clone(descriptor: number, path: string): boolean {
  const string = new TextEncoder().encode(`${path}\0`);
  const target = libc().openat(-100, string, O_WRONLY_CLOEXEC, 0);
  if (target < 0) return false;
  return withDescriptor(target, () => libc().ioctl(target, FICLONE, descriptor) === 0);
}

function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
}
