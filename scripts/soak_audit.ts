/** Kills processes that write an audit log at random moments: `scripts/soak audit [TIMES] [SEED]`. */
import { AuditKills } from "../tests/fixtures/audit_kills.ts";
import { seeded } from "../tests/fixtures/daemon_kills.ts";

const times = Number(Deno.args[0] ?? 200);
const seed = Number(Deno.args[1] ?? Date.now() % 1_000_000);
console.log(`${times} kills, seed ${seed}`);

const random = seeded(seed);
const start = performance.now();
await using kills = await AuditKills.create();
for (let done = 1; done <= times; done++) {
  await kills.once(random);
  if (done % 25 !== 0) continue;
  console.log(`${done} after ${((performance.now() - start) / 1_000).toFixed(0)} s`);
}
const { calls, files } = kills.told;
console.log(`whole each time: ${calls} calls that left are all in it, in ${files} files`);
