import type { KeyBatches } from "./ed25519/key_batches.ts";
import type { SignatureBatch } from "./ed25519/signature_batch.ts";
import { verifySignature } from "./verify_signature.ts";

/** Tells of lines whether they are signed. */
export interface LineSignatures {
  /** Whether a key signed the message; the bytes are looked at before this returns. */
  accept(message: Uint8Array, signature: Uint8Array): boolean;
}

/** Accepts what one of several keys signed. */
export class SingleSignatures implements LineSignatures {
  readonly #publicKeys: Uint8Array[];

  constructor(publicKeys: readonly Uint8Array[]) {
    this.#publicKeys = [...publicKeys];
  }

  accept(message: Uint8Array, signature: Uint8Array): boolean {
    return this.keyOf(message, signature) !== undefined;
  }

  /** The key that signed the message; `undefined` where none did. */
  keyOf(message: Uint8Array, signature: Uint8Array): Uint8Array | undefined {
    const keys = this.#publicKeys;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      if (!verifySignature(key, message, signature)) continue;
      // The next line is likely to be of the same key.
      if (i > 0) [keys[0], keys[i]] = [key, keys[0]!];
      return key;
    }
  }
}

/**
 * Accepts signatures on trial, many at a time: what it accepted counts only if
 * {@linkcode BatchedSignatures.settle} says so in the end. Whatever it does not accept has to be
 * asked of {@linkcode SingleSignatures}, whose answer counts.
 */
export class BatchedSignatures implements LineSignatures {
  readonly #single: SingleSignatures;
  readonly #batches: KeyBatches;
  #batch: SignatureBatch | undefined;

  constructor(publicKeys: readonly Uint8Array[], batches: KeyBatches) {
    this.#single = new SingleSignatures(publicKeys);
    this.#batches = batches;
  }

  accept(message: Uint8Array, signature: Uint8Array): boolean {
    if (this.#batch !== undefined) return this.#batch.add(message, signature);
    const key = this.#single.keyOf(message, signature);
    // The next lines are likely to be of the same key.
    if (key !== undefined) this.#batch = this.#batches.after(key);
    return key !== undefined;
  }

  /** Whether all that was accepted on trial is. */
  settle(): boolean {
    return this.#batch?.settle() ?? true;
  }
}
