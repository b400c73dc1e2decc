import { isCertified } from "./key_certificate.ts";

type Members = Readonly<Record<string, unknown>>;

/**
 * The keys that may have signed a line of an audit log: those that somebody trusts to begin with,
 * and what these say in `key` events of the log. A key that hands over (`handed_over`) signs no line
 * after that, whoever has it. A key that another one vouches for (`certified`) signs from that line
 * on. Ask line by line, in the order of the log.
 */
export class KnownKeys {
  readonly #keys: Map<string, Uint8Array>;
  readonly #all: Map<string, Uint8Array>;

  constructor(trusted: readonly Uint8Array[]) {
    this.#keys = new Map(trusted.map((key) => [key.toBase64(), key]));
    this.#all = new Map(this.#keys);
  }

  /** The keys that may have signed the line with these members, which nobody has verified yet. */
  forLine(members: Members): readonly Uint8Array[] {
    if (members.kind === "key" && members.change === "certified") this.#certify(members);
    if (members.kind === "key" && members.change === "handed_over") {
      // Only the key that leaves can say so.
      const leaving = this.#keys.get(String(members.public_key));
      return leaving === undefined ? [] : [leaving];
    }
    return this.inForce;
  }

  /** Learns what a line says, once its signature is verified. */
  learn(members: Members): void {
    if (members.kind !== "key" || members.change !== "handed_over") return;
    this.#keys.delete(String(members.public_key));
    const next = rawKey(members.next_public_key);
    if (next !== undefined) this.#add(next);
  }

  /** The keys that may sign lines which do not say anything of keys. */
  get inForce(): readonly Uint8Array[] {
    return [...this.#keys.values()];
  }

  /** Every key so far that was known at some time: what a checkpoint may be signed with. */
  get all(): readonly Uint8Array[] {
    return [...this.#all.values()];
  }

  #certify({ public_key, root_public_key, root_signature }: Members): void {
    const root = this.#keys.get(String(root_public_key));
    const key = rawKey(public_key);
    const signature = decode(root_signature);
    if (root === undefined || key === undefined || signature === undefined) return;
    if (isCertified(key, { rootPublicKey: root, signature })) this.#add(key);
  }

  #add(key: Uint8Array): void {
    this.#keys.set(key.toBase64(), key);
    this.#all.set(key.toBase64(), key);
  }
}

function rawKey(text: unknown): Uint8Array | undefined {
  const bytes = decode(text);
  return bytes?.length === 32 ? bytes : undefined;
}

function decode(text: unknown): Uint8Array | undefined {
  try {
    return typeof text === "string" ? Uint8Array.fromBase64(text) : undefined;
  } catch {
    return undefined;
  }
}
