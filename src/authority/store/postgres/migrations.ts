import { SCHEMA_NAME } from "../../../config/keys/authority.ts";
import { FirmaException } from "../../../core/result.ts";
import type { Connection, Database } from "./driver.ts";

/** What of PostgreSQL's namespace one group of Authorities uses. */
export interface Names {
  /** The schema, quoted. */
  readonly schema: string;
  /** The channel on which changes are told. */
  readonly channel: string;
}

/** The names of a schema. */
export function namesOf(schema: string): Names {
  if (!SCHEMA_NAME.test(schema)) throw new Error(`"${schema}" is no name of a schema`);
  return { schema: `"${schema}"`, channel: `firma.${schema}` };
}

/** What leads from each version of the schema to the next. Never changed once released. */
const MIGRATIONS: readonly ((names: Names) => string)[] = [
  ({ schema }) => `
    CREATE TABLE ${schema}.agents (
      id text PRIMARY KEY,
      name text NOT NULL UNIQUE,
      registered_at text NOT NULL
    );
    CREATE TABLE ${schema}.tokens (
      token_id text PRIMARY KEY,
      agent_id text NOT NULL,
      session_id text NOT NULL,
      issued_at timestamptz NOT NULL,
      expiry timestamptz NOT NULL
    );
    CREATE INDEX tokens_expiry ON ${schema}.tokens (expiry);
    -- A revocation that was compacted is listed no more, but still stops its session.
    CREATE TABLE ${schema}.revocations (
      token_id text PRIMARY KEY,
      session_id text,
      reason text NOT NULL,
      revoked_at timestamptz NOT NULL,
      compacted boolean NOT NULL DEFAULT false
    );
    CREATE INDEX revocations_session ON ${schema}.revocations (session_id);
    -- The bundle in force, signed; every version that ever was; and what each directory held last.
    CREATE TABLE ${schema}.bundle (one boolean PRIMARY KEY CHECK (one), sealed bytea NOT NULL);
    CREATE TABLE ${schema}.bundle_versions (
      version text PRIMARY KEY,
      revision bigint NOT NULL
    );
    CREATE TABLE ${schema}.publishers (
      id text PRIMARY KEY,
      version text NOT NULL,
      seen_at timestamptz NOT NULL
    );
    -- Both numbers grow with each change, in the order in which changes are committed.
    CREATE TABLE ${schema}.state (
      one boolean PRIMARY KEY CHECK (one),
      revocations bigint NOT NULL,
      bundle_revision bigint NOT NULL
    );
    INSERT INTO ${schema}.state VALUES (true, 0, 0);
  `,
  // The audit logs of Sidecars. Keys are base64; a line is kept byte for byte, beside it what it is
  // found by; nodes are the hashes of the Merkle tree of a branch, by their place in it.
  ({ schema }) => `
    CREATE TABLE ${schema}.logs (
      id text PRIMARY KEY,
      sidecar text NOT NULL,
      since timestamptz NOT NULL DEFAULT now(),
      keys_in_force text[] NOT NULL,
      keys text[] NOT NULL,
      witnessed_size bigint,
      witnessed_root bytea
    );
    CREATE TABLE ${schema}.log_branches (
      log text NOT NULL REFERENCES ${schema}.logs ON DELETE CASCADE,
      number integer NOT NULL,
      first bigint NOT NULL,
      last bigint NOT NULL,
      hash text NOT NULL,
      PRIMARY KEY (log, number)
    );
    CREATE TABLE ${schema}.log_lines (
      log text NOT NULL REFERENCES ${schema}.logs ON DELETE CASCADE,
      branch integer NOT NULL,
      seq bigint NOT NULL,
      line bytea NOT NULL,
      at text COLLATE "C" NOT NULL,
      agent text NOT NULL,
      session text NOT NULL,
      action text NOT NULL,
      decision text NOT NULL,
      host text NOT NULL,
      PRIMARY KEY (log, seq, branch)
    );
    CREATE INDEX log_lines_at ON ${schema}.log_lines (at);
    CREATE INDEX log_lines_agent ON ${schema}.log_lines (agent, at);
    CREATE INDEX log_lines_session ON ${schema}.log_lines (session, at);
    CREATE INDEX log_lines_action ON ${schema}.log_lines (action, at);
    CREATE INDEX log_lines_host ON ${schema}.log_lines (host, at);
    CREATE TABLE ${schema}.log_nodes (
      log text NOT NULL REFERENCES ${schema}.logs ON DELETE CASCADE,
      branch integer NOT NULL,
      position bigint NOT NULL,
      hash bytea NOT NULL,
      PRIMARY KEY (log, branch, position)
    );
    CREATE TABLE ${schema}.log_incidents (
      log text NOT NULL REFERENCES ${schema}.logs ON DELETE CASCADE,
      number bigint GENERATED ALWAYS AS IDENTITY,
      at timestamptz NOT NULL DEFAULT now(),
      kind text NOT NULL,
      seq bigint NOT NULL,
      detail text NOT NULL,
      PRIMARY KEY (log, number)
    );
  `,
];

/** The version of the schema that this program works with. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/**
 * Brings the schema to {@linkcode SCHEMA_VERSION}, whoever else tries at the same
 * time. One that is newer is left alone.
 *
 * @throws {FirmaException} `STORE_NEWER`, or when the database cannot be used
 */
export async function migrate(database: Database, names: Names): Promise<void> {
  const found = await database.query({
    text: `SELECT to_regclass($1) IS NOT NULL AS known`,
    values: [`${names.schema}.migrations`],
  });
  // Where nothing is to be done, nobody has to be allowed to do it.
  if (found.rows[0]?.["known"] === true && await versionOf(database, names) === SCHEMA_VERSION) {
    return;
  }
  await database.transaction(async (connection) => {
    await connection.query({
      text: "SELECT pg_advisory_xact_lock(hashtext('firma migrations'), hashtext($1))",
      values: [names.schema],
    });
    const { rows } = await connection.query({
      text: "SELECT to_regnamespace($1) IS NOT NULL AS known",
      values: [names.schema],
    });
    // "IF NOT EXISTS" wants the right to make one even where one exists.
    if (rows[0]?.["known"] !== true) {
      await connection.query({ text: `CREATE SCHEMA ${names.schema}` });
    }
    await connection.query({
      text: `CREATE TABLE IF NOT EXISTS ${names.schema}.migrations (
        version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())`,
    });
    for (let version = await versionOf(connection, names); version < SCHEMA_VERSION; version++) {
      await connection.query({ text: MIGRATIONS[version]!(names) });
      await connection.query({
        text: `INSERT INTO ${names.schema}.migrations (version) VALUES ($1)`,
        values: [version + 1],
      });
    }
  });
}

async function versionOf(connection: Connection, { schema }: Names): Promise<number> {
  const { rows } = await connection.query({
    text: `SELECT coalesce(max(version), 0) AS version FROM ${schema}.migrations`,
  });
  const version = Number(rows[0]?.["version"]);
  if (version <= SCHEMA_VERSION) return version;
  throw new FirmaException({
    code: "STORE_NEWER",
    message: `Cannot use the Authority's store: its schema ${schema} is version ${version}, and ` +
      `this firma knows none after ${SCHEMA_VERSION}`,
    cure: "upgrade firma here: a newer one uses the same database",
  });
}
