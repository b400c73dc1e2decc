/** Starts a Sidecar for the project in `Deno.args[0]` and then tries what it gave up. */
import { prepare } from "../../src/sidecar/prepare.ts";
import { Sidecar } from "../../src/sidecar/sidecar.ts";

const dir = Deno.args[0]!;
const attempts: Record<string, () => unknown> = {
  run: () => new Deno.Command("/bin/true").outputSync(),
  ffi: () => Deno.dlopen("libc.so.6", {}).close(),
  sys: () => Deno.hostname(),
  "run again": async () => {
    const { state } = await Deno.permissions.request({ name: "run" });
    if (state !== "granted") throw new Deno.errors.NotCapable(state);
  },
};
async function tryAll(): Promise<Record<string, string>> {
  const report: Record<string, string> = {};
  for (const [name, attempt] of Object.entries(attempts)) {
    try {
      await attempt();
      report[name] = "worked";
    } catch (cause) {
      report[name] = (cause as Error).name;
    }
  }
  return report;
}

const before = await tryAll();
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

const after = await tryAll();
await started.value.close();
console.log(`REPORT ${JSON.stringify({ before, after })}`);
Deno.exit(0);
