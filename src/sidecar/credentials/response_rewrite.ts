import { Buffer } from "node:buffer";
import type { Body } from "../../net/byte_source.ts";
import type { SessionSecrets } from "../../secrets/session_secrets.ts";
import { type LearntValue, rewriteAnswer } from "../../secrets/store/rewrite_answer.ts";
import type { SensitiveRule } from "../../secrets/store/secret_store.ts";
import { unseen } from "./response_failure.ts";

/** What becomes of an answer that holds secrets nobody has heard of yet. */
export interface RewriteOptions {
  readonly rule: SensitiveRule;
  readonly secrets: SessionSecrets;
  /** A larger answer passes on nothing. */
  readonly limit: number;
  /** What is no answer of the kind that the rule expects passes as it is: it tells of a failure. */
  readonly mayDiffer: boolean;
  /** Hears which values can be told from now on; the answer goes on when that has resolved. */
  readonly learnt?: ((values: readonly LearntValue[]) => Promise<void>) | undefined;
}

/** The answer of a store of secrets, read whole, with placeholders in place of its values. */
export class RewrittenBody implements Body {
  readonly length = undefined;
  readonly #source: Body;
  readonly #options: RewriteOptions;
  #pieces: Buffer[] = [];
  #size = 0;
  #out: Uint8Array | undefined | null;

  constructor(source: Body, options: RewriteOptions) {
    this.#source = source;
    this.#options = options;
  }

  get trailers(): Body["trailers"] {
    return this.#source.trailers;
  }

  take(): Uint8Array | undefined | null {
    const out = this.#out;
    if (out !== undefined) this.#out = null;
    return out;
  }

  async wait(): Promise<void> {
    while (this.#out === undefined) {
      const piece = this.#source.take();
      if (piece === undefined) return await this.#source.wait();
      if (piece === null) this.#out = await this.#rewritten();
      else this.#add(piece);
    }
  }

  #add(piece: Uint8Array): void {
    this.#size += piece.length;
    if (this.#size > this.#options.limit) {
      throw unseen(`of a secret store, is larger than ${this.#options.limit} bytes`);
    }
    this.#pieces.push(Buffer.from(piece));
  }

  async #rewritten(): Promise<Uint8Array> {
    const { rule, secrets, mayDiffer } = this.#options;
    const content = Buffer.concat(this.#pieces);
    this.#pieces = [];
    if (content.length === 0) return content;
    const learnt: LearntValue[] = [];
    const rewritten = rewriteAnswer(content, rule, secrets, (value) => void learnt.push(value));
    if (learnt.length > 0) await this.#options.learnt?.(learnt);
    if (rewritten !== undefined) return rewritten;
    if (mayDiffer) return content;
    throw unseen("of a secret store, is not what its rule says");
  }
}
