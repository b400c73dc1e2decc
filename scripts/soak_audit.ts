/**
 * Kills a whole Sidecar at random moments while agents call through it, in both modes of durability
 * in turn: `scripts/soak audit [TIMES] [SEED]`. Goes on where it was interrupted, when it is asked
 * for as many times again. `FIRMA_E2E_PROGRAM` names a compiled firma to kill instead of the source.
 */
import { resolve } from "node:path";
import { seeded } from "../tests/fixtures/daemon_kills.ts";
import { SidecarKills } from "../tests/fixtures/sidecar_kills.ts";

const PROGRESS = "dist/soak-audit.json";

/** What was done of a number of kills. */
interface Progress {
  readonly times: number;
  readonly seed: number;
  readonly done: number;
  readonly calls: number;
  readonly unrecorded: number;
  readonly atStart: number;
}

function interrupted(times: number, seed: number | undefined): Progress | undefined {
  try {
    const progress: Progress = JSON.parse(Deno.readTextFileSync(PROGRESS));
    const isIt = progress.times === times && (seed === undefined || progress.seed === seed);
    return isIt ? progress : undefined;
  } catch {
    return undefined;
  }
}

const times = Number(Deno.args[0] ?? 200);
const wanted = Deno.args[1] === undefined ? undefined : Number(Deno.args[1]);
const program = Deno.env.get("FIRMA_E2E_PROGRAM") || "source";
const before = interrupted(times, wanted) ??
  { times, seed: wanted ?? Date.now() % 1_000_000, done: 0, calls: 0, unrecorded: 0, atStart: 0 };
console.log(`${times} kills of a Sidecar (${program}), seed ${before.seed}`);
if (before.done > 0) console.log(`${before.done} of them were done before`);

// Each part has its own numbers, so that one that goes on does not do the same again.
const random = seeded(before.seed + before.done);
const start = performance.now();
let isAsked = false;
Deno.addSignalListener("SIGINT", () => isAsked = true);
await using kills = new SidecarKills(program === "source" ? undefined : [resolve(program)]);
let progress: Progress = before;
while (progress.done < times && !isAsked) {
  await kills.once(random);
  const { calls, unrecorded, atStart } = kills.told;
  progress = {
    ...before,
    done: progress.done + 1,
    calls: before.calls + calls,
    unrecorded: before.unrecorded + unrecorded,
    atStart: before.atStart + atStart,
  };
  Deno.mkdirSync("dist", { recursive: true });
  Deno.writeTextFileSync(PROGRESS, JSON.stringify(progress));
  if (progress.done % 10 !== 0) continue;
  const seconds = ((performance.now() - start) / 1_000).toFixed(0);
  console.log(`${progress.done} after ${seconds} s, ${progress.calls} calls`);
}
if (progress.done < times) {
  console.log(`interrupted after ${progress.done}; the same command goes on`);
} else {
  Deno.removeSync(PROGRESS);
  const { calls, unrecorded, atStart } = progress;
  console.log(`whole each time: ${calls} calls arrived, ${atStart} kills came during a start`);
  console.log(
    `durable: no call without its record; queued: ${unrecorded} of the last ones without`,
  );
}
