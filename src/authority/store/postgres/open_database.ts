import { err, ok, type Result } from "../../../core/result.ts";
import { type DatabaseTarget, describeTarget } from "./database_url.ts";
import { Database } from "./driver.ts";
import { storeError } from "./fault.ts";
import { migrate, namesOf } from "./migrations.ts";

/** How long the database may take for an answer where nobody says otherwise, in milliseconds. */
export const PATIENCE_MS = 5_000;

/** Connects, and makes or upgrades the schema; fails when the database cannot be used. */
export async function openDatabase(
  target: DatabaseTarget,
  schema: string,
  patienceMs = PATIENCE_MS,
): Promise<Result<Database>> {
  let database: Database | undefined;
  try {
    database = await Database.open(target, patienceMs);
    await migrate(database, namesOf(schema));
    return ok(database);
  } catch (cause) {
    await database?.close();
    const { code, message, cure } = storeError(cause).error;
    const where = `(database ${describeTarget(target)})`;
    return err({ code, message: `${message} ${where}`, ...(cure && { cure }) });
  }
}
