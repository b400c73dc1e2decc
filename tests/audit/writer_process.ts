/**
 * A process that appends numbered decisions to a log, for tests that need a
 * real one: `<log> <key> <name> <count> <detail length>`. Prints the number of
 * acknowledged events whenever it rises.
 */
import { AuditWriter } from "../../src/audit/writer.ts";
import { unwrap } from "../../src/core/result.ts";
import { loadOrCreateSigningKey } from "../../src/pki/signing_key.ts";
import { numberedDecision } from "./sample.ts";

const [file, keyFile, name, count, detailLength] = Deno.args;
const key = unwrap(await loadOrCreateSigningKey(keyFile!));
const writer = unwrap(
  await AuditWriter.open({ file: file!, key, capacity: 1_024, checkpointIntervalMs: 20 }),
);
writer.onAcknowledged((acknowledged) => console.log(acknowledged));
const detail = "x".repeat(Number(detailLength));
for (let i = 0; i < Number(count);) {
  if (writer.append({ ...numberedDecision(i, name), detail })) i++;
  else await new Promise((resolve) => setTimeout(resolve, 0));
}
unwrap(await writer.close());
