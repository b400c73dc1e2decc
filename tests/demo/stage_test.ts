import assert from "node:assert/strict";
import { join } from "node:path";
import { checkConfigFile, readConfigFile } from "../../src/config/load.ts";
import { SCENARIOS } from "../../src/demo/scenarios.ts";
import { makeStageDirectory, setStage, stageEnvironment } from "../../src/demo/stage.ts";

const SERVERS = {
  addresses: new Map([["api.anthropic.com", "127.0.0.1:1"]]),
  certificate: "",
};

Deno.test("stageEnvironment() lets nothing lead a demo to what is the user's own", () => {
  const env = stageEnvironment({
    PATH: "/bin",
    HOME: "/home/person",
    FIRMA_DENO: "/opt/deno",
    // Each of these would have a demo use another configuration, log, Sidecar or proxy.
    FIRMA_CONFIG: "/home/person/.firma/firma.toml",
    FIRMA_STATE_DIR: "/run/user/1000/firma",
    FIRMA_ALLOW_MONITOR_MODE: "1",
    FIRMA_AUTHORITY_LISTEN_ADDR: "0.0.0.0:1",
    XDG_DATA_HOME: "/home/person/.local/share",
    HTTPS_PROXY: "http://proxy.test:1",
    https_proxy: "http://proxy.test:1",
    no_proxy: "*",
  }, "/tmp/demo");
  assert.deepEqual(env, {
    PATH: "/bin",
    HOME: "/home/person",
    FIRMA_DENO: "/opt/deno",
    FIRMA_STATE_DIR: "/tmp/demo/state",
    XDG_DATA_HOME: "/tmp/demo/data",
  });
});

Deno.test("setStage() writes a configuration that holds, for each demo", async () => {
  for (const scenario of SCENARIOS) {
    const directory = await Deno.makeTempDir();
    try {
      const { workspace, env } = setStage(scenario, SERVERS, {}, directory);
      const file = readConfigFile(join(workspace, ".firma/firma.toml"));
      assert.ok(file.ok);
      const config = checkConfigFile(file.value, env);
      assert.ok(config.ok, JSON.stringify(config));
      const policies = await Array.fromAsync(
        Deno.readDir(config.value.authority.policyDir),
        ({ name }) => name,
      );
      const wanted = [
        ...scenario.posture === undefined ? [] : [`${scenario.posture}.cedar`],
        ...scenario.policies === undefined ? [] : [scenario.policies],
      ];
      assert.deepEqual(policies.sort(), wanted.sort());
      assert.ok((await Deno.readTextFile(join(workspace, "agent.sh"))).startsWith("#!/bin/sh"));
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  }
});

Deno.test("makeStageDirectory() finds a place that has room for sockets, however long TMPDIR is", async () => {
  const long = await Deno.makeTempDir({ prefix: "x".repeat(80) });
  const before = Deno.env.get("TMPDIR");
  Deno.env.set("TMPDIR", long);
  const directory = makeStageDirectory();
  try {
    assert.match(directory, /^\/tmp\/firma-demo-\w+$/);
    assert.equal((await Deno.stat(directory)).mode! & 0o777, 0o700);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(long)), []);
  } finally {
    if (before === undefined) Deno.env.delete("TMPDIR");
    else Deno.env.set("TMPDIR", before);
    await Deno.remove(directory);
    await Deno.remove(long);
  }
});
