/** Serves as the Authority of `Deno.args[0]`, and tries from inside of it what that has given up. */
import { serveAuthority } from "../../src/cli/authority/serve.ts";
import { parseAuthorityConfig } from "../../src/config/authority_config.ts";
import { readConfigFile } from "../../src/config/load.ts";
import { unwrap } from "../../src/core/result.ts";
import { eventually } from "../fixtures/deadline.ts";
import { GIVEN_UP_ATTEMPTS, tryAll } from "../fixtures/given_up.ts";

const ATTEMPTS = {
  ...GIVEN_UP_ATTEMPTS,
  "run by way of node": async () => (await import("node:child_process")).execFileSync("/bin/true"),
  "read the memory of others": () => Deno.readTextFileSync(`/proc/${Deno.ppid}/environ`),
};

const before = await tryAll(ATTEMPTS);
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
console.log(`REPORT ${JSON.stringify({ before, after: await tryAll(ATTEMPTS) })}`);
Deno.exit(0);
