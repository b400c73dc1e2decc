import assert from "node:assert/strict";
import { join } from "node:path";
import { effectJson, takeEffect } from "../../../src/cli/credentials/take_effect.ts";
import { readConfigFile } from "../../../src/config/load.ts";
import { runsDir } from "../../../src/config/paths.ts";
import { newId } from "../../../src/core/id.ts";
import { unwrap } from "../../../src/core/result.ts";

const REFUSED = { code: "CONFIG_WAITS", detail: "Cannot put it in force", cure: "start it again" };

Deno.test("takeEffect() asks the Sidecars that serve the file, and no others, and says who would not", async () => {
  const dir = await Deno.realPath(await Deno.makeTempDir());
  const env = { FIRMA_STATE_DIR: join(dir, "state") };
  const file = join(dir, "firma.toml");
  await Deno.writeTextFile(file, "[sidecar]\n");
  assert.deepEqual(await takeEffect(file, [], env), { inForce: 0, faults: [] });

  const asked: [string, unknown][] = [];
  const servers: Deno.HttpServer[] = [];
  const serve = async (name: string, configFile: string, takes: boolean) => {
    const directory = join(runsDir(env), newId("sbx"));
    await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
    servers.push(Deno.serve(
      { path: join(directory, "control.sock"), onListen: () => {} },
      async (request) => {
        if (request.method === "GET") return Response.json({ config_file: configFile });
        asked.push([`${name} ${new URL(request.url).pathname}`, await request.json()]);
        return takes
          ? new Response(null, { status: 204 })
          : Response.json(REFUSED, { status: 409 });
      },
    ));
  };
  await serve("own", file, true);
  await serve("other", join(dir, "other.toml"), true);
  const body = { config_digest: unwrap(readConfigFile(file)).digest, renewed: ["code"] };
  const effect = await takeEffect(file, ["code"], env);
  assert.deepEqual(effect, { inForce: 1, faults: [] });
  assert.deepEqual(asked, [["own /v1/config", body]]);
  assert.equal(effectJson(effect).in_force, true);

  await serve("fixed", file, false);
  const half = await takeEffect(file, [], env);
  assert.equal(half.inForce, 1);
  assert.deepEqual(effectJson(half), {
    in_force: false,
    faults: [{ code: REFUSED.code, message: REFUSED.detail, cure: REFUSED.cure }],
  });
  for (const server of servers) await server.shutdown();
  await Deno.remove(dir, { recursive: true });
});
