/**
 * Runs one command with shims in the places of governed programs, in an inner layer that has nothing
 * else: what the tests of shims start. It has to see the programs read-only, as `__init` does. The
 * options are one JSON argument; the exit code is that of the command.
 */
import { join } from "node:path";
import { GateThread } from "../../../src/sandbox/init/gate/start.ts";
import { shimMounts } from "../../../src/sandbox/shims/places.ts";
import type { GateHostOptions } from "./gate_host.ts";

const { command, socket, timeoutMs, own = [], only } = JSON.parse(
  Deno.args[0]!,
) as GateHostOptions;
const base = Deno.makeTempDirSync({ dir: Deno.cwd(), prefix: "layer-" });
const places = { directory: join(base, "gate"), shims: join(base, "shims") };
const path = Deno.env.get("PATH") ?? "";
const gate = new GateThread();
try {
  const shims = await gate.openShims({ places, socket, own, path, timeoutMs, only });
  void gate.ended.then((reason) => console.error(`gate ended: ${reason}`));
  const child = new Deno.Command("/usr/bin/bwrap", {
    args: [
      ...["--bind", "/", "/", "--tmpfs", "/run", ...shimMounts(places, shims)],
      ...["--dev-bind", "/dev", "/dev", "--die-with-parent", "--", ...command],
    ],
  }).spawn();
  const { code } = await child.status;
  Deno.exit(code);
} catch (cause) {
  console.error(`not started: ${cause instanceof Error ? cause.message : cause}`);
  Deno.exit(111);
}
