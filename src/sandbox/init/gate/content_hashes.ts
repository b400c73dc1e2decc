import { type FileIdentity, identityKey, readStart } from "./file.ts";

/** What is larger takes too long while a program waits. */
const LARGEST = 64 * 1024 * 1024;
const MOST_KNOWN = 1024;

/** The SHA-256 digests of programs; each state of a file is read once. */
export class ContentHashes {
  readonly #known = new Map<string, string>();

  /** The digest of a file, in hex, as far as it is known already. */
  known(identity: FileIdentity): string | undefined {
    return this.#known.get(identityKey(identity));
  }

  /** The digest of the file at a path of ours; `undefined` of what cannot be read or is too large. */
  of(path: string, identity: FileIdentity): string | undefined {
    const known = this.known(identity);
    if (known !== undefined || identity.size > LARGEST) return known;
    const bytes = readStart(path, identity.size);
    if (bytes === undefined || bytes.length !== identity.size) return undefined;
    const digest = hash(bytes);
    if (identity.isSettled) {
      if (this.#known.size >= MOST_KNOWN) this.#known.clear();
      this.#known.set(identityKey(identity), digest);
    }
    return digest;
  }
}

/** `node:crypto` takes longer to load than a start may, and hashes a program in milliseconds. */
function hash(bytes: Uint8Array): string {
  return process.getBuiltinModule("node:crypto").createHash("sha256").update(bytes).digest("hex");
}
