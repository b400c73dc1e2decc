/** Serves as the Authority of `Deno.args[0]`, and tries from inside of it what that has given up. */
import { serveAuthority } from "../../src/cli/authority/serve.ts";
import { parseAuthorityConfig } from "../../src/config/authority_config.ts";
import { readConfigFile } from "../../src/config/load.ts";
import { unwrap } from "../../src/core/result.ts";
import { eventually } from "../fixtures/deadline.ts";

const ATTEMPTS: Readonly<Record<string, () => unknown>> = {
  run: () => new Deno.Command("/bin/true").outputSync(),
  "run by way of node": async () => (await import("node:child_process")).execFileSync("/bin/true"),
  ffi: () => Deno.dlopen("libc.so.6", {}).close(),
  sys: () => Deno.hostname(),
  "read the memory of others": () => Deno.readTextFileSync(`/proc/${Deno.ppid}/environ`),
  "ask for it again": async () => {
    const { state } = await Deno.permissions.request({ name: "run" });
    if (state !== "granted") throw new Deno.errors.NotCapable(state);
  },
};

async function tryAll(): Promise<Record<string, string>> {
  const report: Record<string, string> = {};
  for (const [name, attempt] of Object.entries(ATTEMPTS)) {
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
const file = unwrap(readConfigFile(Deno.args[0]!));
const config = parseAuthorityConfig(file, Deno.env.toObject());
if (!config.ok) throw new Error(JSON.stringify(config.error));
const ended = serveAuthority(config.value).then((status) => {
  throw new Error(`it ended by itself: ${status}`);
});
// The last that it gives up.
const serving = eventually("the Authority to serve", async () => {
  const { state } = await Deno.permissions.query({ name: "sys" });
  return state === "granted" ? undefined : true;
});
await Promise.race([serving, ended]);
console.log(`REPORT ${JSON.stringify({ before, after: await tryAll() })}`);
Deno.exit(0);
