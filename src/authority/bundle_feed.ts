import type { BundleUpdate } from "../core/authority.ts";
import type { PolicyBundle } from "../core/policy_bundle.ts";
import { err, type FirmaError, FirmaException, ok, type Result } from "../core/result.ts";
import { markChecked, parsedPolicies } from "../policy/checked.ts";
import { Broadcast } from "./broadcast.ts";
import { delay } from "../core/delay.ts";
import type { PolicySource } from "./policy_source.ts";
import type { AuthorityStore } from "./store/store.ts";

/** What a {@linkcode BundleFeed} is made of. */
export interface BundleFeedOptions {
  readonly source: PolicySource;
  readonly store: AuthorityStore;
  /** Hears what keeps bundles from being published. */
  readonly onNotice: (notice: FirmaError) => void;
}

const RETRY_MS = 1_000;

/**
 * The bundle that Sidecars are to have: what the policy directory holds, in the
 * order that the store gives it, or what another Authority of the same store has
 * published since.
 */
export class BundleFeed {
  readonly #options: BundleFeedOptions;
  readonly #updates = new Broadcast<BundleUpdate>(kindOfUpdate);
  readonly #closing = new AbortController();
  readonly #running: Promise<unknown>;
  #current: BundleUpdate;
  #refused: BundleUpdate | undefined;
  /** What of the directory was published; the content that it held when this began is. */
  #published: string;

  private constructor(
    options: BundleFeedOptions,
    published: string,
    bundle: PolicyBundle,
    atMs: number,
  ) {
    this.#options = options;
    this.#published = published;
    this.#current = { kind: "bundle", bundle, atMs };
    this.#running = Promise.all([this.#followSource(), this.#followStore()]);
  }

  /** Publishes what the directory holds. Fails when the store cannot be used. */
  static async open(options: BundleFeedOptions): Promise<Result<BundleFeed>> {
    const { source, store } = options;
    // A directory that vanished in between is told by the stream of the source.
    const bundle = source.lastValid;
    try {
      const atMs = Date.now();
      const published = await publish(store, bundle, true);
      return ok(new BundleFeed(options, bundle.version, published, atMs));
    } catch (cause) {
      return err(storeFault(cause));
    }
  }

  /** The bundle in force; `undefined` when there is none and everything is denied. */
  get bundle(): PolicyBundle | undefined {
    return this.#current.kind === "bundle" ? this.#current.bundle : undefined;
  }

  /**
   * What is in force, then each change. The bundle in force comes again several
   * times within its time to live, as long as the store answers.
   */
  updates(signal: AbortSignal): AsyncIterable<BundleUpdate> {
    const start = () => this.#refused ? [this.#current, this.#refused] : [this.#current];
    return this.#updates.subscribe(start, signal);
  }

  /** Stops; streams stay open, and hear nothing any more. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #followSource(): Promise<void> {
    for await (const update of this.#options.source.updates(this.#closing.signal)) {
      if (update.kind === "bundle") await this.#take(update.bundle);
      else if (update.kind === "gone") this.#speak(update);
      else this.#updates.publish(this.#refused = update);
    }
  }

  /** A new content is published; one that was published already asks whether it still holds. */
  async #take(bundle: PolicyBundle): Promise<void> {
    const { store, onNotice } = this.#options;
    // From before the store is asked: whoever connects much later hears how old its answer is.
    const atMs = Date.now();
    try {
      if (bundle.version !== this.#published) {
        const published = await publish(store, bundle, false);
        this.#published = bundle.version;
        return this.#speak({ kind: "bundle", bundle: published, atMs });
      }
      const latest = await store.currentBundle();
      const { ttlSeconds } = bundle;
      const current = this.bundle;
      this.#speak(
        latest === undefined || latest.revision === current?.revision
          ? { kind: "bundle", bundle: current ?? await publish(store, bundle, false), atMs }
          : { kind: "bundle", bundle: withStanding({ ...latest, ttlSeconds }, bundle), atMs },
      );
    } catch (cause) {
      // Nothing is said: Sidecars go on until their bundle's time to live is over.
      onNotice(storeFault(cause));
    }
  }

  async #followStore(): Promise<void> {
    const { store, onNotice, source } = this.#options;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        for await (const published of store.watchBundles(signal)) {
          const current = this.bundle;
          if (current !== undefined && published.revision <= current.revision) continue;
          const { ttlSeconds } = source.lastValid;
          this.#speak({ kind: "bundle", bundle: { ...published, ttlSeconds }, atMs: Date.now() });
        }
        return; // nobody else publishes in this store
      } catch (cause) {
        if (!signal.aborted) onNotice(storeFault(cause));
        await delay(RETRY_MS, signal);
      }
    }
  }

  #speak(update: BundleUpdate): void {
    // The source forgets an edit that was refused when a valid one follows, and so does this.
    if (update.kind !== "bundle" || update.bundle !== this.bundle) this.#refused = undefined;
    this.#current = update;
    this.#updates.publish(update);
  }
}

/** Of refusals, and of what is in force, the newest says all. */
export function kindOfUpdate({ kind }: BundleUpdate): unknown {
  return kind === "refused" ? "refused" : "in force";
}

async function publish(
  store: AuthorityStore,
  bundle: PolicyBundle,
  atStart: boolean,
): Promise<PolicyBundle> {
  return withStanding(await store.publishBundle(bundle, atStart), bundle);
}

/** What was found valid in one object is valid in another that says the same. */
function withStanding(published: PolicyBundle, local: PolicyBundle): PolicyBundle {
  if (published.version !== local.version) return published;
  const bundle = { ...local, revision: published.revision };
  const parsed = parsedPolicies(local);
  if (parsed) markChecked(bundle, parsed);
  return bundle;
}

function storeFault(cause: unknown): FirmaError {
  if (cause instanceof FirmaException) return cause.error;
  return {
    code: "STORE_UNREACHABLE",
    message: `Cannot use the Authority's store: ${cause instanceof Error ? cause.message : cause}`,
    cure: "make the store reachable; no bundle is renewed and no token issued until then",
    cause,
  };
}
