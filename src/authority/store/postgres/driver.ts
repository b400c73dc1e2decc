import type { DatabaseTarget } from "./database_url.ts";
import { readPrivateFile } from "../../../pki/private_file.ts";
import { unwrap } from "../../../core/result.ts";
import { storeError } from "./fault.ts";

/** A statement with its values, which never become part of its text. */
export interface Statement {
  /** A name prepares the statement once for each connection. */
  readonly name?: string;
  readonly text: string;
  readonly values?: readonly unknown[];
}

/** What a statement returned. */
export interface Rows {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly rowCount: number | null;
}

/** Runs statements, one after the other. */
export interface Connection {
  query(statement: Statement): Promise<Rows>;
}

/** A connection that is held for long, to hear what others say. */
export interface LongConnection extends Connection {
  on(event: "notification" | "end", listener: () => void): unknown;
  on(event: "error", listener: (cause: Error) => void): unknown;
  end(): Promise<void>;
}

interface Client extends LongConnection {
  connect(): Promise<unknown>;
}

interface PooledClient extends Connection {
  release(broken?: boolean): void;
}

interface Pool {
  connect(): Promise<PooledClient>;
  on(event: "error", listener: (cause: Error) => void): unknown;
  end(): Promise<void>;
}

/** The part of `pg` that is used. */
interface Library {
  readonly Client: new (options: object) => Client;
  readonly Pool: new (options: object) => Pool;
}

/** Connections that statements share; a server gives a hundred by default, and there are several Authorities. */
const MOST_CONNECTIONS = 8;

/** Makes every promise of a statement hold, and none of it on a server that only follows another. */
const PREPARE = `SELECT pg_is_in_recovery() AS standby,
  CASE current_setting('synchronous_commit')
    WHEN 'off' THEN set_config('synchronous_commit', 'on', false) END`;

/** Ways to one database. Whatever is wrong with it is thrown as a {@linkcode FirmaException}. */
export class Database {
  readonly #library: Library;
  readonly #options: object;
  readonly #pool: Pool;

  private constructor(library: Library, options: object) {
    this.#library = library;
    this.#options = options;
    this.#pool = new library.Pool({
      ...options,
      max: MOST_CONNECTIONS,
      onConnect: (client: LongConnection) => {
        client.on("error", ignore); // whoever waits for a statement hears of it, too
        return prepare(client);
      },
    });
    // A connection that breaks while nobody uses it is replaced when it is needed.
    this.#pool.on("error", ignore);
  }

  /**
   * Loads the library; connects when something is asked for. A server that does
   * not answer within `patienceMs` is one that is not there.
   */
  static async open(target: DatabaseTarget, patienceMs: number): Promise<Database> {
    const module = await import("pg");
    const { host, port, user, database, password } = target;
    return new Database(module.default as Library, {
      host,
      port,
      user,
      database,
      password,
      ssl: await tlsOptions(target),
      application_name: "firma authority",
      connectionTimeoutMillis: patienceMs,
      query_timeout: patienceMs,
      statement_timeout: patienceMs,
      idle_in_transaction_session_timeout: patienceMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    });
  }

  /** Runs one statement. */
  async query(statement: Statement): Promise<Rows> {
    return await this.#use((connection) => connection.query(statement));
  }

  /** Runs `work` in a transaction, which is undone when it throws. */
  async transaction<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    return await this.#use(async (connection) => {
      await connection.query({ text: "BEGIN ISOLATION LEVEL READ COMMITTED" });
      const value = await work(connection);
      await connection.query({ text: "COMMIT" });
      return value;
    });
  }

  /** A connection for one user alone, who ends it. */
  async connect(): Promise<LongConnection> {
    const client = new this.#library.Client(this.#options);
    client.on("error", ignore);
    try {
      await client.connect();
      await prepare(client);
      return client;
    } catch (cause) {
      client.end().catch(ignore);
      throw storeError(cause);
    }
  }

  /** Ends the connections. */
  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #use<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    let client: PooledClient;
    try {
      client = await this.#pool.connect();
    } catch (cause) {
      throw storeError(cause);
    }
    try {
      const value = await work(client);
      client.release();
      return value;
    } catch (cause) {
      // Not given back: it may be broken, or in the middle of something.
      client.release(true);
      throw storeError(cause);
    }
  }
}

function ignore(): void {}

async function prepare(connection: Connection): Promise<void> {
  const { rows } = await connection.query({ text: PREPARE });
  // What a standby says was so; whether it still is, only its primary knows.
  if (rows[0]?.["standby"] !== false) throw new Error("it is a standby of another server");
}

async function tlsOptions({ tls }: DatabaseTarget): Promise<object | false> {
  if (tls === undefined) return false;
  const { caPath, client } = tls;
  return {
    rejectUnauthorized: true,
    ...(caPath && { ca: await Deno.readTextFile(caPath) }),
    ...(client && {
      cert: await Deno.readTextFile(client.certPath),
      key: unwrap(await readPrivateFile(client.keyPath, "key of the database's client")),
    }),
  };
}
