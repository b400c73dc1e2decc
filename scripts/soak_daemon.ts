/** Kills parts of a daemon at random moments, many times: `scripts/soak daemon [TIMES] [SEED]`. */
import { DaemonKills, seeded } from "../tests/fixtures/daemon_kills.ts";

const times = Number(Deno.args[0] ?? 500);
const seed = Number(Deno.args[1] ?? Date.now() % 1_000_000);
console.log(`${times} kills, seed ${seed}`);

const random = seeded(seed);
const counts = new Map<string, number>();
const start = performance.now();
await using kills = await DaemonKills.create();
for (let done = 0, told = 0; done < times;) {
  const killed = await kills.once(random);
  for (const what of killed) counts.set(what, (counts.get(what) ?? 0) + 1);
  done += killed.length;
  if (done < told + 25) continue;
  told = done;
  console.log(`${done} after ${((performance.now() - start) / 1_000).toFixed(0)} s`);
}
const { sessions } = await kills.end();
for (const [killed, count] of [...counts].sort()) console.log(`${killed.padEnd(28)} ${count}`);
console.log(`repaired each time; the log is whole, with ${sessions} records of sessions`);
