import type { Leaf } from "../../pki/session_ca.ts";

interface Waiter {
  readonly host: string;
  readonly resolve: (leaf: Leaf) => void;
  readonly reject: (reason: Error) => void;
}

/** Asks the main thread, which alone holds the key of the session CA, for certificates. */
export class LeafClient {
  readonly #ask: (request: number, host: string) => void;
  readonly #waiters = new Map<number, Waiter>();
  #requests = 0;

  constructor(ask: (request: number, host: string) => void) {
    this.#ask = ask;
  }

  /** The certificate of `host`; rejects when there is none for such a name. */
  get(host: string): Promise<Leaf> {
    const request = ++this.#requests;
    const { promise, resolve, reject } = Promise.withResolvers<Leaf>();
    this.#waiters.set(request, { host, resolve, reject });
    this.#ask(request, host);
    return promise;
  }

  /** Hands the answer to whoever asked. */
  answer(request: number, leaf: Leaf | undefined): void {
    const waiter = this.#waiters.get(request);
    this.#waiters.delete(request);
    if (leaf !== undefined) waiter?.resolve(leaf);
    else waiter?.reject(new Error(`Cannot make a certificate for "${waiter.host}"`));
  }
}
