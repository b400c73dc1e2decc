import type { EventFilter } from "../../audit/search/event_filter.ts";
import { ok, type Result } from "../../core/result.ts";
import { timestamp } from "../../core/timestamp.ts";
import type { DatabaseTarget } from "../store/postgres/database_url.ts";
import type { Database } from "../store/postgres/driver.ts";
import { type Names, namesOf } from "../store/postgres/migrations.ts";
import { openDatabase } from "../store/postgres/open_database.ts";
import type { Collection, FoundLine, LogChange, LogName } from "./collection.ts";
import { PostgresLog } from "./postgres_log.ts";

/**
 * What is collected, in a PostgreSQL database that any number of Authorities share. Each change is
 * one transaction, with the log's row locked: lines are acknowledged when it is committed.
 */
export class PostgresCollection implements Collection {
  readonly #database: Database;
  readonly #names: Names;

  private constructor(database: Database, names: Names) {
    this.#database = database;
    this.#names = names;
  }

  /** Connects, and makes or upgrades the schema; fails when the database cannot be used. */
  static async open(target: DatabaseTarget, schema: string): Promise<Result<PostgresCollection>> {
    const database = await openDatabase(target, schema);
    return database.ok ? ok(new PostgresCollection(database.value, namesOf(schema))) : database;
  }

  async owner(log: LogName, key: Uint8Array | undefined): Promise<string | undefined> {
    if (key !== undefined) {
      await this.#database.query({
        text: `INSERT INTO ${this.#names.schema}.logs (id, sidecar, keys_in_force, keys)
          VALUES ($1, $2, $3, $3) ON CONFLICT (id) DO NOTHING`,
        values: [log.id, log.sidecar, [key.toBase64()]],
      });
    }
    const { rows } = await this.#database.query({
      text: `SELECT sidecar FROM ${this.#names.schema}.logs WHERE id = $1`,
      values: [log.id],
    });
    return rows[0]?.["sidecar"] as string | undefined;
  }

  async change<T>(log: LogName, work: (change: LogChange) => Promise<T>): Promise<T> {
    return await this.#database.transaction(async (connection) =>
      await work(await PostgresLog.open(connection, this.#names, log.id))
    );
  }

  async *search(filter: EventFilter, limit: number): AsyncGenerator<FoundLine> {
    const { conditions, values } = conditionsOf(filter);
    const { rows } = await this.#database.query({
      text: `SELECT sidecar, line FROM ${this.#names.schema}.log_lines
        JOIN ${this.#names.schema}.logs ON logs.id = log_lines.log
        ${conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`}
        ORDER BY at DESC, log DESC, seq DESC, branch DESC LIMIT ${Math.floor(limit)}`,
      values,
    });
    for (const { sidecar, line } of rows.toReversed()) {
      yield { sidecar: String(sidecar), line: new TextDecoder().decode(line as Uint8Array) };
    }
  }

  async close(): Promise<void> {
    await this.#database.close();
  }
}

/** What a row has to fulfil; values never become part of the text. */
function conditionsOf(filter: EventFilter): { conditions: string[]; values: unknown[] } {
  const conditions: string[] = [];
  const values: unknown[] = [];
  const where = (value: unknown, condition: (placeholder: string) => string) => {
    if (value === undefined) return;
    values.push(value);
    conditions.push(condition(`$${values.length}`));
  };
  const { agent, session, decision, action, host, sinceMs, untilMs } = filter;
  where(agent, (value) => `agent = ${value}`);
  where(session, (value) => `session = ${value}`);
  where(decision, (value) => `decision = ${value}`);
  if (action?.endsWith(".*")) {
    where(action.slice(0, -1), (value) => `starts_with(action, ${value})`);
  } else where(action, (value) => `action = ${value}`);
  if (host?.startsWith("*.")) {
    where(host.slice(1), (value) => `right(host, length(${value})) = ${value}`);
  } else where(host, (value) => `host = ${value}`);
  where(textOf(sinceMs), (value) => `at >= ${value}`);
  where(textOf(untilMs), (value) => `at < ${value}`);
  return { conditions, values };
}

/** A time as events have it: texts of one length that sort like what they stand for. */
function textOf(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : timestamp(ms);
}
