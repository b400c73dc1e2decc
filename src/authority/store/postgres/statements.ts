import type { Names } from "./migrations.ts";

/** The statements of the store. Values are always parameters; only the schema's name is text. */
export type Statements = ReturnType<typeof statementsFor>;

/** Makes the statements for one schema; `named` ones are prepared once for each connection. */
export function statementsFor({ schema, channel }: Names) {
  const named = (name: string, text: string) => ({ name: `firma ${name}`, text });
  // Others hear of it when, and only when, the change is committed.
  const tell = `pg_notify('${channel}', '')`;
  const counted = (change: string) => `
    WITH changed AS (${change} RETURNING 1),
    counted AS (
      UPDATE ${schema}.state SET revocations = revocations + 1
      WHERE EXISTS (SELECT FROM changed)
    ),
    number AS (SELECT count(*) AS changed FROM changed)
    SELECT changed, CASE WHEN changed > 0 THEN ${tell} END FROM number`;
  return {
    findAgent: named(
      "find agent",
      `SELECT id, name, registered_at FROM ${schema}.agents WHERE id = $1`,
    ),
    listAgents: named("list agents", `SELECT id, name, registered_at FROM ${schema}.agents`),
    addAgent: named(
      "add agent",
      `INSERT INTO ${schema}.agents VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
    ),
    removeAgent: named("remove agent", `DELETE FROM ${schema}.agents WHERE id = $1`),

    // Any number of them, one array a column. Says of each, in their order, why it is not recorded.
    recordTokens: named(
      "record tokens",
      `WITH judged AS MATERIALIZED (
         SELECT asked.*,
           only_registered AND NOT EXISTS (
             SELECT FROM ${schema}.agents WHERE agents.id = asked.agent_id
           ) AS unknown,
           EXISTS (
             SELECT FROM ${schema}.revocations WHERE revocations.session_id = asked.session_id
           ) AS stopped
         FROM unnest(
           $1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::boolean[]
         ) WITH ORDINALITY
           AS asked (token_id, agent_id, session_id, issued_at, expiry, only_registered, place)
       ),
       recorded AS (
         INSERT INTO ${schema}.tokens
         SELECT token_id, agent_id, session_id, issued_at, expiry FROM judged
         WHERE NOT unknown AND NOT stopped
       )
       SELECT unknown, stopped FROM judged ORDER BY place`,
    ),
    // A part at a time: there may be millions, and nothing here takes long.
    forget: named(
      "forget",
      `WITH old AS (
         SELECT token_id FROM ${schema}.tokens WHERE expiry < $1::timestamptz LIMIT 5000
       ),
       sessions AS (
         DELETE FROM ${schema}.revocations WHERE compacted AND revoked_at < $1::timestamptz
       )
       DELETE FROM ${schema}.tokens WHERE token_id IN (SELECT token_id FROM old)`,
    ),

    listRevocations: named(
      "list revocations",
      `SELECT token_id, reason, revoked_at FROM ${schema}.revocations
       WHERE NOT compacted ORDER BY revoked_at, token_id`,
    ),
    revoke: named(
      "revoke",
      counted(`
        INSERT INTO ${schema}.revocations AS known (token_id, session_id, reason, revoked_at)
        SELECT $1, (SELECT session_id FROM ${schema}.tokens WHERE token_id = $1), $2,
          $3::timestamptz
        ON CONFLICT (token_id) DO UPDATE
          SET compacted = false, reason = excluded.reason, revoked_at = excluded.revoked_at
          WHERE known.compacted`),
    ),
    withdraw: named(
      "withdraw",
      counted(`DELETE FROM ${schema}.revocations WHERE token_id = $1 AND NOT compacted`),
    ),
    compact: named(
      "compact",
      counted(`
        UPDATE ${schema}.revocations SET compacted = true
        WHERE NOT compacted AND revoked_at < $1::timestamptz`),
    ),

    state: named(
      "state",
      `SELECT revocations, bundle_revision, pg_is_in_recovery() AS standby FROM ${schema}.state`,
    ),
    bundle: named("bundle", `SELECT sealed FROM ${schema}.bundle`),
    // Whoever publishes has this lock, so that there is one order.
    lockState: named("lock state", `SELECT bundle_revision FROM ${schema}.state FOR UPDATE`),
    seenVersion: named(
      "seen version",
      `SELECT
         EXISTS (SELECT FROM ${schema}.bundle_versions WHERE version = $1) AS published,
         (SELECT version FROM ${schema}.publishers WHERE id = $2) AS last`,
    ),
    noteDirectory: named(
      "note directory",
      `INSERT INTO ${schema}.publishers VALUES ($1, $2, now())
       ON CONFLICT (id) DO UPDATE SET version = excluded.version, seen_at = excluded.seen_at`,
    ),
    putBundle: named(
      "put bundle",
      `WITH moved AS (UPDATE ${schema}.state SET bundle_revision = $1),
       noted AS (
         INSERT INTO ${schema}.bundle_versions VALUES ($2, $1)
         ON CONFLICT (version) DO UPDATE SET revision = excluded.revision
       ),
       put AS (
         INSERT INTO ${schema}.bundle VALUES (true, $3)
         ON CONFLICT (one) DO UPDATE SET sealed = excluded.sealed
       )
       SELECT ${tell}`,
    ),
  };
}
