import { giveUpPermissions, MONITOR_GIVES_UP } from "../../../src/config/permissions.ts";
import { makeDaemonDirectory, writeMarker } from "../../../src/daemon/state.ts";
import { processStart } from "../../../src/daemon/process_start.ts";
import { unwrap } from "../../../src/core/result.ts";
import { DaemonsWorker } from "../../../src/monitor/standing/daemons.ts";
import { type Attempts, GIVEN_UP, type PartReport, tryAll } from "../attempts.ts";

/** What a monitor has given up before it reads the first line. */
const ATTEMPTS: Attempts = {
  ...GIVEN_UP,
  listen: () => Deno.listen({ hostname: "127.0.0.1", port: 0 }).close(),
};

/** The thread of a monitor that reads logs and shows them; a daemon of `directory` runs. */
export async function attempt([directory]: readonly string[]): Promise<PartReport> {
  const before = await tryAll(ATTEMPTS, undefined);
  const env = { FIRMA_STATE_DIR: `${directory}/state` };
  const marker = {
    component: "authority" as const,
    pid: Deno.pid,
    pid_start: processStart(Deno.pid)!,
    started_at: new Date().toISOString(),
    state: "running" as const,
    config_file: `${directory}/firma.toml`,
    config_digest: "",
    restarts: 0,
  };
  unwrap(writeMarker(marker, unwrap(makeDaemonDirectory(env))));
  using daemons = new DaemonsWorker(env);
  await daemons.ready;
  await giveUpPermissions(MONITOR_GIVES_UP);
  const attempts = await tryAll(ATTEMPTS, undefined);
  const { components, problem } = await daemons.look();
  const seen = components[0]?.state === "running" ? "worked" : `not seen: ${problem}`;
  return { before, attempts, rights: { "see that a daemon runs": seen } };
}
