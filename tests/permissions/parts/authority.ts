import { serveAuthority } from "../../../src/cli/authority/serve.ts";
import { parseAuthorityConfig } from "../../../src/config/authority_config.ts";
import { readConfigFile } from "../../../src/config/load.ts";
import { unwrap } from "../../../src/core/result.ts";
import { eventually } from "../../fixtures/deadline.ts";
import { GIVEN_UP, type PartReport, tryAll } from "../attempts.ts";

/** An Authority that serves the project in `directory`. */
export async function attempt([directory]: readonly string[]): Promise<PartReport> {
  const before = await tryAll(GIVEN_UP, undefined);
  const file = unwrap(readConfigFile(`${directory}/firma.toml`));
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
  return { before, attempts: await tryAll(GIVEN_UP, undefined) };
}
