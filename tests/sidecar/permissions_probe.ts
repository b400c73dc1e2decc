/** Starts a Sidecar for the project in `Deno.args[0]` and then tries what it gave up. */
import { prepare } from "../../src/sidecar/prepare.ts";
import { Sidecar } from "../../src/sidecar/sidecar.ts";
import { GIVEN_UP_ATTEMPTS, tryAll } from "../fixtures/given_up.ts";

const dir = Deno.args[0]!;

const before = await tryAll(GIVEN_UP_ATTEMPTS);
const options = {
  configFile: `${dir}/firma.toml`,
  runDirectory: `${dir}/run`,
  env: { XDG_DATA_HOME: `${dir}/data` },
  notify: () => {},
};
const groundwork = await prepare(options);
if (!groundwork.ok) throw new Error(JSON.stringify(groundwork.error));
const started = await Sidecar.start(groundwork.value, options);
if (!started.ok) throw new Error(JSON.stringify(started.error));

const after = await tryAll(GIVEN_UP_ATTEMPTS);
await started.value.close();
console.log(`REPORT ${JSON.stringify({ before, after })}`);
Deno.exit(0);
