import assert from "node:assert/strict";
import { join } from "node:path";
import { homePaths, makeSettings } from "../../src/sandbox/home_paths.ts";
import { extendProfiles, profileById, PROFILES } from "../../src/sandbox/profiles.ts";

function withHome(test: (home: string) => void): void {
  const home = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "firma-home-" }));
  try {
    test(home);
  } finally {
    Deno.removeSync(home, { recursive: true });
  }
}

const options = (id: string, home: string, hostEnv: Record<string, string> = {}) => ({
  profile: profileById(id)!,
  home,
  homes: [home],
  cwd: join(home, "project"),
  hostEnv,
});

for (const { id, settings } of PROFILES) {
  Deno.test(`makeSettings() lets what ${id} writes about itself last, and nothing else`, () => {
    withHome((home) => {
      makeSettings(options(id, home));
      const { settings: shown, readable } = homePaths(options(id, home));
      assert.deepEqual(shown, settings.map(({ path }) => join(home, path)));
      assert.deepEqual(readable, []);
      const top = new Set(settings.map(({ path }) => path.split("/")[0]));
      const there = [...Deno.readDirSync(home)].map(({ name }) => name);
      assert.deepEqual(there.sort(), [...top].sort());
    });
  });
}

Deno.test("makeSettings() leaves what is there, and makes no home", () => {
  withHome((home) => {
    Deno.writeTextFileSync(join(home, ".claude.json"), "theirs");
    makeSettings(options("claude-code", home));
    assert.equal(Deno.readTextFileSync(join(home, ".claude.json")), "theirs");
    makeSettings(options("codex", join(home, "nobody")));
    assert.throws(() => Deno.statSync(join(home, "nobody")), Deno.errors.NotFound);
  });
});

Deno.test("homePaths() goes by the variable that moves an agent's settings", () => {
  withHome((home) => {
    Deno.mkdirSync(join(home, "elsewhere"));
    const moved = homePaths(options("codex", home, { CODEX_HOME: join(home, "elsewhere/") }));
    assert.deepEqual(moved, { settings: [join(home, "elsewhere")], readable: [], refused: [] });
  });
});

for (const wide of ["/", "", "..", "project", "link"]) {
  Deno.test(`homePaths() opens no more than settings for a variable that says "${wide}"`, () => {
    withHome((home) => {
      Deno.mkdirSync(join(home, "project"));
      Deno.symlinkSync(home, join(home, "link"));
      const CODEX_HOME = wide.startsWith("/") ? wide : join(home, wide);
      const { settings, refused } = homePaths(options("codex", home, { CODEX_HOME }));
      assert.deepEqual([settings, refused.length], [[], 1]);
    });
  });
}

Deno.test("extendProfiles() adds to a profile, and makes new ones", () => {
  withHome((home) => {
    const profiles = extendProfiles({
      "codex": {
        commands: [],
        envPassthrough: ["MY_KEY"],
        homeWrite: [".cache/codex"],
        homeRead: [".config/gh"],
      },
      "mine": { commands: ["my-agent"], envPassthrough: [], homeWrite: [], homeRead: [".x"] },
    });
    assert.equal(profiles.length, PROFILES.length + 1);
    const codex = profileById("codex", profiles)!;
    assert.ok(codex.passthrough.includes("MY_KEY") && codex.passthrough.includes("OPENAI_*"));
    Deno.mkdirSync(join(home, ".config/gh"), { recursive: true });
    makeSettings({ profile: codex, home, hostEnv: {} });
    const { settings, readable } = homePaths({ ...options("codex", home), profile: codex });
    assert.deepEqual(settings, [join(home, ".codex")]); // what only an operator names is not made
    assert.deepEqual(readable, [join(home, ".config/gh")]);
    assert.deepEqual(profileById("mine", profiles)?.commands, ["my-agent"]);
  });
});
