import assert from "node:assert/strict";
import { readWishes, type WishFlags } from "../../src/run/wishes.ts";

const MONITOR = { FIRMA_ALLOW_MONITOR_MODE: "1" };

Deno.test("readWishes() asks for nothing where no flag does", () => {
  assert.deepEqual(readWishes({}, {}, "linux"), {
    ok: true,
    value: {
      sidecar: {
        sidecar: undefined,
        noAutostart: false,
        startupTimeoutMs: 30_000,
        needsOwn: false,
      },
      authority: undefined,
      agent: undefined,
      monitor: false,
    },
  });
});

Deno.test("readWishes() understands what is asked for", () => {
  const flags: WishFlags = {
    backend: "bwrap",
    sidecar: "unix:///run/firma/control.sock",
    autostart: false,
    sidecarStartupTimeoutSecs: "5",
    authorityProfile: "developer",
    agent: "builder",
    monitor: true,
  };
  assert.deepEqual(readWishes(flags, MONITOR, "linux"), {
    ok: true,
    value: {
      sidecar: {
        sidecar: "/run/firma/control.sock",
        noAutostart: true,
        startupTimeoutMs: 5_000,
        needsOwn: false,
      },
      authority: undefined,
      agent: "builder",
      monitor: true,
    },
  });
  for (const authority of ["local", "unix:///run/a.sock", "https://authority.test:9443"]) {
    const wishes = readWishes({ authority }, {}, "linux");
    assert.ok(wishes.ok && wishes.value.sidecar.needsOwn && wishes.value.authority === authority);
  }
  const usual = readWishes({ sidecarStartupTimeoutSecs: "0" }, {}, "linux");
  assert.ok(usual.ok && usual.value.sidecar.startupTimeoutMs === 30_000);
});

const REFUSED: Record<string, [WishFlags, RegExp]> = {
  "a backend of another system": [{ backend: "vz" }, /"vz" on linux: it is one for macOS/],
  "a backend that there is not": [{ backend: "bwarp" }, /"bwarp": there is none/],
  "an object's own property as a backend": [{ backend: "constructor" }, /there is none/],
  "a Sidecar over TCP": [{ sidecar: "tcp://127.0.0.1:8080" }, /neither "local" nor unix/],
  "a Sidecar at a relative path": [{ sidecar: "unix://control.sock" }, /neither "local" nor unix/],
  "not to start the Sidecar that is to be started": [
    { sidecar: "local", autostart: false },
    /--sidecar local/,
  ],
  "not to start the Authority that is to be started": [
    { authority: "local", autostart: false },
    /--authority local/,
  ],
  "another Authority for a Sidecar that runs": [
    { authority: "unix:///a.sock", autostart: false },
    /has its own/,
  ],
  "an Authority in the clear": [{ authority: "http://authority.test" }, /neither https nor/],
  "a profile of an Authority that there is not": [{ authorityProfile: "prod" }, /only "developer"/],
  "an endless time": [{ sidecarStartupTimeoutSecs: "1e9" }, /not a number/],
  "a time that is negative": [{ sidecarStartupTimeoutSecs: "-1" }, /not a number/],
  "a name for somebody whose token is there": [
    { agent: "builder", capabilityFile: "seed.toml" },
    /the token says whose/,
  ],
  "to observe where nobody allowed that": [{ monitor: true }, /FIRMA_ALLOW_MONITOR_MODE is not 1/],
};

for (const [name, [flags, message]] of Object.entries(REFUSED)) {
  Deno.test(`readWishes() refuses ${name}`, () => {
    const wishes = readWishes(flags, { FIRMA_ALLOW_MONITOR_MODE: "true" }, "linux");
    assert.ok(!wishes.ok);
    assert.match(wishes.error.message, message);
  });
}
