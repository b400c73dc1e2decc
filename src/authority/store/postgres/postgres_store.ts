import type { Revocation } from "../../../core/authority.ts";
import type { PolicyBundle } from "../../../core/policy_bundle.ts";
import { type FirmaError, FirmaException, ok, type Result } from "../../../core/result.ts";
import type { SigningKey } from "../../../pki/signing_key.ts";
import { Broadcast } from "../../broadcast.ts";
import { nextRevision } from "../revision.ts";
import type {
  AuthorityStore,
  BundleContent,
  IssuedToken,
  PublishedBundle,
  Recorded,
  RegisteredAgent,
} from "../store.ts";
import { REMEMBERED_MS } from "../token_log.ts";
import { Batches } from "./batches.ts";
import { openBundle, sealBundle } from "./bundle_seal.ts";
import type { DatabaseTarget } from "./database_url.ts";
import type { Connection, Database, Rows } from "./driver.ts";
import { Follower } from "./follower.ts";
import { namesOf } from "./migrations.ts";
import { openDatabase, PATIENCE_MS } from "./open_database.ts";
import { type Statements, statementsFor } from "./statements.ts";

/** Options of {@linkcode PostgresStore.open}. */
export interface PostgresStoreOptions {
  readonly target: DatabaseTarget;
  /** Schema of the database; the Authorities that name the same one share everything. */
  readonly schema: string;
  /** Tells this Authority's policy directory from those of others, for as long as it exists. */
  readonly publisher: string;
  /** Signs the bundles in the database, and verifies them; `undefined` where none are wanted. */
  readonly signingKey: SigningKey | undefined;
  /** Hears when the database is lost, and when it is there again. */
  readonly onNotice: (notice: FirmaError) => void;
  /**
   * How long the database may take for an answer, in milliseconds, and how old
   * what was heard from it may be to vouch for it.
   * @default {5000}
   */
  readonly patienceMs?: number;
}

/** A token that waits to be recorded. */
interface TokenEntry {
  readonly token: IssuedToken;
  readonly registeredOnly: boolean;
}

const FORGET_EVERY_MS = 3_600_000;

/**
 * The store of any number of Authorities, in a PostgreSQL database. What one of
 * them changes the others hear at once. Without the database nothing is issued
 * and nothing vouched for.
 */
export class PostgresStore implements AuthorityStore {
  readonly #options: PostgresStoreOptions;
  readonly #database: Database;
  readonly #channel: string;
  readonly #statements: Statements;
  readonly #tokens: Batches<TokenEntry, Recorded>;
  readonly #closing = new AbortController();
  readonly #revocationLists = new Broadcast<readonly Revocation[]>();
  readonly #bundles = new Broadcast<PublishedBundle>();
  #revocations: { readonly change: unknown; readonly list: readonly Revocation[] } = {
    change: undefined,
    list: [],
  };
  #bundle: PublishedBundle | undefined;
  #toldRevision: number | undefined;
  #follower: Follower | undefined;
  #forgotMs = -Infinity;

  private constructor(options: PostgresStoreOptions, database: Database) {
    const names = namesOf(options.schema);
    this.#options = options;
    this.#database = database;
    this.#channel = names.channel;
    this.#statements = statementsFor(names);
    this.#tokens = new Batches((entries) => this.#recordTokens(entries));
  }

  /** Connects, and makes or upgrades the schema; fails when the database cannot be used. */
  static async open(options: PostgresStoreOptions): Promise<Result<PostgresStore>> {
    const { target, schema, patienceMs } = options;
    const database = await openDatabase(target, schema, patienceMs);
    return database.ok ? ok(new PostgresStore(options, database.value)) : database;
  }

  async findAgent(id: string): Promise<RegisteredAgent | undefined> {
    const { rows } = await this.#query("findAgent", id);
    return rows.map(agentOf)[0];
  }

  async listAgents(): Promise<readonly RegisteredAgent[]> {
    const { rows } = await this.#query("listAgents");
    // Not by the database, whose order of names is that of its locale.
    return rows.map(agentOf).sort((a, b) => a.name < b.name ? -1 : 1);
  }

  async addAgent({ id, name, registeredAt }: RegisteredAgent): Promise<boolean> {
    return (await this.#query("addAgent", id, name, registeredAt)).rowCount === 1;
  }

  async removeAgent(id: string): Promise<boolean> {
    return (await this.#query("removeAgent", id)).rowCount === 1;
  }

  recordToken(token: IssuedToken, registeredOnly = false): Promise<Recorded> {
    return this.#tokens.add({ token, registeredOnly });
  }

  async listRevocations(): Promise<readonly Revocation[]> {
    return (await this.#query("listRevocations")).rows.map(revocationOf);
  }

  async revoke({ tokenId, reason, timestamp }: Revocation): Promise<void> {
    // PostgreSQL has no text with NUL in it, and a revocation must not fail for its reason.
    await this.#query("revoke", tokenId, reason.replaceAll("\0", " "), timestamp);
  }

  async withdrawRevocation(tokenId: string): Promise<boolean> {
    return changed(await this.#query("withdraw", tokenId)) > 0;
  }

  async compactRevocations(olderThanMs: number): Promise<number> {
    return changed(await this.#query("compact", new Date(olderThanMs).toISOString()));
  }

  async *watchRevocations(signal: AbortSignal): AsyncGenerator<readonly Revocation[]> {
    const ended = this.#until(signal);
    await this.#follow().first;
    yield* this.#revocationLists.subscribe(() => [this.#revocations.list], ended);
  }

  async currentBundle(): Promise<PublishedBundle | undefined> {
    // Whoever hears no revocations must not go on as if there were none.
    if (this.#follower !== undefined && !this.#follower.isFresh) throw unheard();
    const { rows } = await this.#query("state");
    return await this.#bundleOf(rows[0], (name) => this.#query(name));
  }

  publishBundle(content: BundleContent, atStart: boolean): Promise<PublishedBundle> {
    const { publisher } = this.#options;
    const key = this.#key();
    return this.#database.transaction(async (connection) => {
      const run = (name: keyof Statements, ...values: unknown[]) =>
        connection.query({ ...this.#statements[name], values });
      const { rows: [state] } = await run("lockState");
      const { rows: [seen] } = await run("seenVersion", content.version, publisher);
      const current = await this.#bundleOf(state, run);
      await run("noteDirectory", publisher, content.version);
      if (current?.version === content.version) return current;
      const isNews = seen?.["published"] !== true ||
        (seen["last"] !== null && seen["last"] !== content.version);
      if (current !== undefined && atStart && !isNews) return current;
      const bundle = {
        ...content,
        revision: nextRevision(Number(state?.["bundle_revision"])),
      };
      await run("putBundle", bundle.revision, bundle.version, sealBundle(bundle, key));
      return bundle;
    });
  }

  async *watchBundles(signal: AbortSignal): AsyncGenerator<PublishedBundle> {
    const ended = this.#until(signal);
    this.#follow();
    yield* this.#bundles.subscribe(() => [], ended);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#follower?.close();
    await this.#database.close();
  }

  async #recordTokens(entries: readonly TokenEntry[]): Promise<Recorded[]> {
    const { rows } = await this.#query("recordTokens", ...columnsOf(entries));
    return rows.map(({ unknown, stopped }) =>
      unknown === true ? "AGENT_NOT_REGISTERED" : stopped === true ? "SESSION_REVOKED" : "recorded"
    );
  }

  #query(name: keyof Statements, ...values: unknown[]): Promise<Rows> {
    return this.#database.query({ ...this.#statements[name], values });
  }

  /** Starts to follow what others do, once somebody wants to hear of it. */
  #follow(): Follower {
    return this.#follower ??= new Follower({
      database: this.#database,
      channel: this.#channel,
      freshMs: this.#options.patienceMs ?? PATIENCE_MS,
      look: (connection) => this.#look(connection),
      onNotice: this.#options.onNotice,
    });
  }

  async #look(connection: Connection): Promise<void> {
    const run = (name: keyof Statements, ...values: unknown[]) =>
      connection.query({ ...this.#statements[name], values });
    const { rows: [state] } = await run("state");
    if (state?.["standby"] !== false) throw new Error("it has become a standby of another server");
    if (state["revocations"] !== this.#revocations.change) {
      const list = (await run("listRevocations")).rows.map(revocationOf);
      this.#revocations = { change: state["revocations"], list };
      this.#revocationLists.publish(list);
    }
    if (this.#options.signingKey !== undefined) {
      const bundle = await this.#bundleOf(state, run);
      if (bundle !== undefined && bundle.revision !== this.#toldRevision) {
        this.#toldRevision = bundle.revision;
        this.#bundles.publish(bundle);
      }
    }
    const now = performance.now();
    if (now - this.#forgotMs < FORGET_EVERY_MS) return;
    const { rowCount } = await run("forget", new Date(Date.now() - REMEMBERED_MS).toISOString());
    if (rowCount === 0) this.#forgotMs = now; // otherwise there may be more
  }

  /** The bundle in force, read only when it is another than the one that is known. */
  async #bundleOf(
    state: Readonly<Record<string, unknown>> | undefined,
    run: (name: "bundle") => Promise<Rows>,
  ): Promise<PolicyBundle | undefined> {
    const revision = Number(state?.["bundle_revision"]);
    if (this.#bundle !== undefined && this.#bundle.revision === revision) return this.#bundle;
    const sealed = (await run("bundle")).rows[0]?.["sealed"];
    if (!(sealed instanceof Uint8Array)) return undefined;
    const bundle = openBundle(sealed, this.#key());
    this.#bundle = bundle;
    return bundle;
  }

  #key(): SigningKey {
    const { signingKey } = this.#options;
    if (signingKey === undefined) throw new Error("this store was opened without bundles");
    return signingKey;
  }

  #until(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, this.#closing.signal]);
  }
}

/** What `recordTokens` takes: one array a column. */
function columnsOf(entries: readonly TokenEntry[]): unknown[] {
  const of = (key: keyof IssuedToken) => entries.map(({ token }) => token[key]);
  return [
    ...[of("tokenId"), of("agentId"), of("sessionId"), of("issuedAt"), of("expiry")],
    entries.map(({ registeredOnly }) => registeredOnly),
  ];
}

function agentOf(row: Readonly<Record<string, unknown>>): RegisteredAgent {
  const { id, name, registered_at: registeredAt } = row;
  return { id: String(id), name: String(name), registeredAt: String(registeredAt) };
}

function revocationOf(row: Readonly<Record<string, unknown>>): Revocation {
  const { token_id: tokenId, reason, revoked_at: at } = row;
  const timestamp = at instanceof Date ? at.toISOString() : String(at);
  return { tokenId: String(tokenId), reason: String(reason), timestamp };
}

function changed({ rows }: Rows): number {
  return Number(rows[0]?.["changed"]);
}

function unheard(): FirmaException {
  return new FirmaException({
    code: "STORE_UNREACHABLE",
    message: "Cannot use the Authority's store: its changes cannot be heard",
    cure: "make the database reachable; no bundle is renewed and no token issued until then",
  });
}
