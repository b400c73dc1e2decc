import assert from "node:assert/strict";
import { seeded } from "../fixtures/daemon_kills.ts";
import { SidecarKills } from "../fixtures/sidecar_kills.ts";

const KILLS = 20;
/** Some of them in each mode, however slow the machine is. */
const FEWEST = 4;
const LONGEST_MS = 12_000;

Deno.test("a Sidecar that is killed under load lost no record that it owed", async () => {
  const seed = Math.floor(Math.random() * 1e6);
  const random = seeded(seed);
  const until = performance.now() + LONGEST_MS;
  await using kills = new SidecarKills();
  for (let done = 0; done < KILLS && (done < FEWEST || performance.now() < until); done++) {
    await kills.once(random).catch((cause) => {
      throw new Error(`seed ${seed}: ${cause.message}`, { cause });
    });
  }
  assert.ok(kills.told.calls > 0);
});
