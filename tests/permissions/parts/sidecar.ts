import assert from "node:assert/strict";
import { prepare } from "../../../src/sidecar/prepare.ts";
import { Sidecar } from "../../../src/sidecar/sidecar.ts";
import { GIVEN_UP, type PartReport, tryAll } from "../attempts.ts";

/** The main thread of a Sidecar that serves the project in `directory`. */
export async function attempt([directory]: readonly string[]): Promise<PartReport> {
  const before = await tryAll(GIVEN_UP, undefined);
  const options = {
    configFile: `${directory}/firma.toml`,
    runDirectory: `${directory}/run`,
    env: { XDG_DATA_HOME: `${directory}/data` },
    notify: () => {},
  };
  const groundwork = await prepare(options);
  assert.ok(groundwork.ok, JSON.stringify(groundwork));
  const sidecar = await Sidecar.start(groundwork.value, options);
  assert.ok(sidecar.ok, JSON.stringify(sidecar));
  const attempts = await tryAll(GIVEN_UP, undefined);
  await sidecar.value.close();
  return { before, attempts };
}
