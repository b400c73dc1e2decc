import assert from "node:assert/strict";
import { DaemonKills, seeded } from "../fixtures/daemon_kills.ts";

const KILLS = 20;

Deno.test(`a daemon of which ${KILLS} times some part is killed is whole after each next start`, async () => {
  await using kills = await DaemonKills.create();
  const random = seeded(20_261_123);
  const killed: string[] = [];
  let starts = 0;
  for (; killed.length < KILLS; starts++) killed.push(...await kills.once(random));
  assert.ok(new Set(killed).size >= 4, `it was always the same: ${killed.join(", ")}`);
  const { sessions } = await kills.end();
  assert.ok(sessions >= starts, `only ${sessions} records of sessions`);
});
