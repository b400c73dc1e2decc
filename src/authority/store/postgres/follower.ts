import type { FirmaError } from "../../../core/result.ts";
import { backoffMs } from "../../../core/backoff.ts";
import { delay } from "../../../core/delay.ts";
import type { Connection, Database, LongConnection } from "./driver.ts";
import { storeError } from "./fault.ts";

/** What a {@linkcode Follower} is made of. */
export interface FollowerOptions {
  readonly database: Database;
  /** The channel on which others say that something changed. */
  readonly channel: string;
  /** Milliseconds after which what was seen may be no more; several looks fit in. */
  readonly freshMs: number;
  /** Reads what changed since the last time. Never called twice at once. */
  readonly look: (connection: Connection) => Promise<void>;
  /** Hears when the database is lost, and when it is there again. */
  readonly onNotice: (notice: FirmaError) => void;
}

/** Milliseconds after which to look even when nothing was heard. */
const POLL_MS = 1_000;
const END_MS = 1_000;
const BACKOFF = { minBackoffMs: 100, maxBackoffMs: 3_000 };

/**
 * Calls `look` as soon as another process says that something changed, on a
 * connection of its own. What was said while there was no connection, or got
 * lost, is found by looking every so often.
 */
export class Follower {
  readonly #options: FollowerOptions;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  readonly #first = Promise.withResolvers<void>();
  /** The database answered just before this began. */
  #lookedMs = performance.now();
  #wake = () => {};
  #pending = false;

  /** Starts to follow; ends with {@linkcode Follower.close}. */
  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** Resolves after the first look, or at the end. */
  get first(): Promise<void> {
    return this.#first.promise;
  }

  /** Whether what was seen last is recent enough to vouch for. */
  get isFresh(): boolean {
    return performance.now() - this.#lookedMs <= this.#options.freshMs;
  }

  /** Stops, and resolves when nothing of it runs any more. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    const { onNotice, database } = this.#options;
    let failures = 0;
    while (!signal.aborted) {
      let connection: LongConnection | undefined;
      try {
        connection = await database.connect();
        await this.#follow(connection, () => {
          if (failures > 0) onNotice(restored());
          failures = 0;
        });
      } catch (cause) {
        if (signal.aborted) break;
        if (++failures === 1) onNotice(lost(storeError(cause).error));
      } finally {
        if (connection !== undefined) await end(connection);
      }
      await delay(backoffMs(failures, BACKOFF), signal);
    }
    this.#first.resolve();
  }

  async #follow(connection: LongConnection, onLooked: () => void): Promise<void> {
    const { signal } = this.#closing;
    let fault: unknown;
    connection.on("notification", () => this.#poke());
    const onLost = (cause?: unknown) => {
      fault ??= cause ?? new Error("the connection ended");
      this.#poke();
    };
    connection.on("error", onLost);
    connection.on("end", () => onLost());
    await connection.query({ text: `LISTEN "${this.#options.channel}"` });
    while (!signal.aborted) {
      this.#pending = false;
      await this.#options.look(connection);
      this.#lookedMs = performance.now();
      this.#first.resolve();
      onLooked();
      if (fault === undefined) await this.#nextPoke();
      if (fault !== undefined) throw fault;
    }
  }

  #poke(): void {
    this.#pending = true;
    this.#wake();
  }

  async #nextPoke(): Promise<void> {
    if (this.#pending || this.#closing.signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = setTimeout(resolve, POLL_MS);
    await promise;
    clearTimeout(timer);
  }
}

/** Ends a connection; one that does not answer is left to its time-outs. */
async function end(connection: LongConnection): Promise<void> {
  const given = new AbortController();
  const ended = connection.end().catch(() => {}).finally(() => given.abort());
  await Promise.race([ended, delay(END_MS, given.signal)]);
}

function lost({ code, message, cure }: FirmaError): FirmaError {
  return { code, message: `${message}; trying again`, ...(cure && { cure }) };
}

function restored(): FirmaError {
  return { code: "STORE_RESTORED", message: "The Authority's store can be used again" };
}
