import { Buffer } from "node:buffer";
import { Accumulator } from "../../audit/merkle/accumulator.ts";
import { type Hash, leafHash } from "../../audit/merkle/hash.ts";
import { peakPositions, rootOf, storedHashes } from "../../audit/merkle/stored.ts";
import { type SearchedParts, searchedParts } from "../../audit/search/event_filter.ts";
import type { Connection } from "../store/postgres/driver.ts";
import type { Names } from "../store/postgres/migrations.ts";
import type { Branch, CheckedLine, Head, Incident, LogChange, LogKeys } from "./collection.ts";

/** A log in a database, within the transaction that changes it. */
export class PostgresLog implements LogChange {
  readonly #connection: Connection;
  readonly #schema: string;
  readonly #id: string;
  readonly #isThere: boolean;
  #branch: Branch | undefined;
  #keys: LogKeys;

  private constructor(
    connection: Connection,
    schema: string,
    id: string,
    found: { readonly keys: LogKeys | undefined; readonly branch: Branch | undefined },
  ) {
    this.#connection = connection;
    this.#schema = schema;
    this.#id = id;
    this.#isThere = found.keys !== undefined;
    this.#keys = found.keys ?? { inForce: [], all: [] };
    this.#branch = found.branch;
  }

  /** Reads how far the log is, and keeps everybody else from changing it. */
  static async open(
    connection: Connection,
    { schema }: Names,
    id: string,
  ): Promise<PostgresLog> {
    const log = await connection.query({
      text: `SELECT keys_in_force, keys FROM ${schema}.logs WHERE id = $1 FOR UPDATE`,
      values: [id],
    });
    const row = log.rows[0];
    const keys = row && { inForce: decoded(row["keys_in_force"]), all: decoded(row["keys"]) };
    const last = await connection.query({
      text: `SELECT number, first, last, hash FROM ${schema}.log_branches
        WHERE log = $1 ORDER BY number DESC LIMIT 1`,
      values: [id],
    });
    const branch = last.rows[0] && {
      number: Number(last.rows[0]["number"]),
      first: Number(last.rows[0]["first"]),
      last: Number(last.rows[0]["last"]),
      hash: String(last.rows[0]["hash"]),
    };
    return new PostgresLog(connection, schema, id, { keys, branch });
  }

  get branch(): Branch | undefined {
    return this.#branch;
  }

  get keys(): LogKeys {
    return this.#keys;
  }

  async setKeys(keys: LogKeys): Promise<void> {
    await this.#run(`UPDATE ${this.#schema}.logs SET keys_in_force = $2, keys = $3 WHERE id = $1`, [
      keys.inForce.map((key) => key.toBase64()),
      keys.all.map((key) => key.toBase64()),
    ]);
    this.#keys = keys;
  }

  async leaf(seq: number): Promise<Hash | undefined> {
    const [row] = await this.#run(
      `SELECT line FROM ${this.#schema}.log_lines WHERE log = $1 AND seq = $2 ORDER BY branch DESC LIMIT 1`,
      [seq],
    );
    return row && leafHash(row["line"] as Uint8Array);
  }

  async root(size: number): Promise<Hash | undefined> {
    const { number, first, last } = this.#branch ?? { number: 0, first: 0, last: 0 };
    if (first !== 1 || size > last) return undefined;
    const nodes = await this.#nodes(number, size);
    return rootOf(size, (position) => nodes.get(position)!);
  }

  async append(lines: readonly CheckedLine[], begin: boolean): Promise<void> {
    const before = begin || this.#branch === undefined
      ? { number: (this.#branch?.number ?? 0) + 1, first: lines[0]!.seq, last: lines[0]!.seq - 1 }
      : this.#branch;
    const { seq: last, hash } = lines.at(-1)!;
    const branch = { number: before.number, first: before.first, last, hash };
    await this.#run(
      `INSERT INTO ${this.#schema}.log_branches (log, number, first, last, hash) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (log, number) DO UPDATE SET last = $4, hash = $5`,
      [branch.number, branch.first, last, hash],
    );
    await this.#appendLines(branch.number, lines);
    await this.#appendNodes(branch.number, before.last - before.first + 1, lines);
    this.#branch = branch;
  }

  async record({ kind, seq, detail }: Incident): Promise<boolean> {
    // Whoever has shown no line of it leaves no trace here either.
    if (!this.#isThere) return true;
    const [last] = await this.#run(
      `SELECT kind, seq, detail FROM ${this.#schema}.log_incidents WHERE log = $1 ORDER BY number DESC LIMIT 1`,
    );
    const isSame = last?.["kind"] === kind && Number(last["seq"]) === seq &&
      last["detail"] === detail;
    if (isSame) return false;
    await this.#run(
      `INSERT INTO ${this.#schema}.log_incidents (log, kind, seq, detail) VALUES ($1, $2, $3, $4)`,
      [
        kind,
        seq,
        detail,
      ],
    );
    return true;
  }

  async witnessed(): Promise<Head | undefined> {
    const [row] = await this.#run(
      `SELECT witnessed_size, witnessed_root FROM ${this.#schema}.logs WHERE id = $1`,
    );
    const root = row?.["witnessed_root"] as Uint8Array | null | undefined;
    return root ? { size: Number(row!["witnessed_size"]), root: new Uint8Array(root) } : undefined;
  }

  async setWitnessed({ size, root }: Head): Promise<void> {
    await this.#run(
      `UPDATE ${this.#schema}.logs SET witnessed_size = $2, witnessed_root = $3 WHERE id = $1`,
      [
        size,
        bytea(root),
      ],
    );
  }

  async #appendLines(branch: number, lines: readonly CheckedLine[]): Promise<void> {
    const parts = lines.map(({ members }) => searchedParts(members));
    const column = (name: keyof SearchedParts) => parts.map((part) => storable(part[name]));
    await this.#run(
      `INSERT INTO ${this.#schema}.log_lines (log, branch, seq, line, at, agent, session, action, decision, host)
        SELECT $1::text, $2::integer, * FROM unnest($3::bigint[], $4::bytea[], $5::text[], $6::text[], $7::text[],
          $8::text[], $9::text[], $10::text[])`,
      [
        branch,
        lines.map(({ seq }) => seq),
        lines.map(({ bytes }) => bytea(bytes)),
        column("timestamp"),
        column("agent"),
        column("session"),
        column("action"),
        column("decision"),
        column("host"),
      ],
    );
  }

  async #appendNodes(branch: number, leaves: number, lines: readonly CheckedLine[]): Promise<void> {
    const known = await this.#nodes(branch, leaves);
    const tree = Accumulator.restore(leaves, (position) => known.get(position)!);
    const hashes = lines.flatMap(({ bytes }) => tree.append(leafHash(bytes)));
    const start = storedHashes(leaves);
    await this.#run(
      `INSERT INTO ${this.#schema}.log_nodes (log, branch, position, hash)
        SELECT $1::text, $2::integer, * FROM unnest($3::bigint[], $4::bytea[])`,
      [branch, hashes.map((_, index) => start + index), hashes.map(bytea)],
    );
  }

  /** The roots of the full trees that the first lines of a branch make, by position. */
  async #nodes(branch: number, leaves: number): Promise<Map<number, Hash>> {
    if (leaves === 0) return new Map();
    const rows = await this.#run(
      `SELECT position, hash FROM ${this.#schema}.log_nodes
        WHERE log = $1 AND branch = $2 AND position = ANY($3::bigint[])`,
      [branch, peakPositions(leaves).map(({ position }) => position)],
    );
    return new Map(rows.map(({ position, hash }) => [
      Number(position),
      new Uint8Array(hash as Uint8Array),
    ]));
  }

  /** Runs a statement about this log, which is `$1`. */
  async #run(text: string, values: readonly unknown[] = []) {
    const { rows } = await this.#connection.query({ text, values: [this.#id, ...values] });
    return rows;
  }
}

function decoded(keys: unknown): Uint8Array[] {
  return (keys as string[]).map((key) => Uint8Array.fromBase64(key));
}

/** As the library wants bytes. */
function bytea(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** PostgreSQL has no NUL in texts; what has one is found by its other parts. */
function storable(text: string): string {
  return text.replaceAll("\0", "");
}
