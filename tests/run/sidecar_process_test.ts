import assert from "node:assert/strict";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { dismissHelper } from "../../src/daemon/helper_process.ts";
import {
  type SidecarOptions,
  type SidecarProcess,
  startSidecar,
} from "../../src/run/sidecar_process.ts";
import { DEADLINE_MS, eventually } from "../fixtures/deadline.ts";
import { spawnSidecar } from "../../src/run/spare_sidecar.ts";

const FAKE = fileURLToPath(new URL("./fake_sidecar.ts", import.meta.url));

function fake(mode: string): [string, ...string[]] {
  return ["env", `FAKE_SIDECAR=${mode}`, Deno.execPath(), "run", "-A", "--quiet", FAKE];
}

interface Started {
  readonly sidecar: SidecarProcess;
  readonly notices: string[];
}

async function withSidecar(
  mode: string,
  test: (started: Started) => Promise<void>,
  options: Partial<SidecarOptions> = {},
): Promise<void> {
  const runDirectory = await Deno.makeTempDir();
  const notices: string[] = [];
  const sidecar = startSidecar({
    process: spawnSidecar(fake(mode)),
    configFile: "/p/firma.toml",
    configDigest: "d1",
    runDirectory,
    onNotice: (level, text) => notices.push(`${level}: ${text}`),
    ...options,
  });
  try {
    await test({ sidecar, notices });
  } finally {
    await sidecar[Symbol.asyncDispose]();
    await Deno.remove(runDirectory, { recursive: true });
  }
}

Deno.test("startSidecar() waits until the Sidecar serves, and passes on its notices", () =>
  withSidecar("", async ({ sidecar, notices }) => {
    const ready = await sidecar.ready;
    assert.ok(ready.ok && ready.value.controlSocket.endsWith(".sock"));
    assert.deepEqual(notices, ["warn: policy refused", "info: odd level"]);
    const log = await eventually("the log", async () => {
      const text = await Deno.readTextFile(sidecar.logFile);
      return text.endsWith("\n") ? text : undefined;
    });
    const { args, start, roots } = JSON.parse(log);
    assert.deepEqual(args, ["__sidecar"]);
    assert.deepEqual(start, {
      type: "start",
      config: "/p/firma.toml",
      config_digest: "d1",
      run_dir: dirname(sidecar.logFile),
    });
    assert.equal(roots, "system,mozilla");
    assert.equal((await Deno.stat(sidecar.logFile)).mode! & 0o777, 0o600);
  }));

Deno.test("startSidecar() puts the Sidecar out of reach of the terminal's signals", () =>
  withSidecar("", async ({ sidecar }) => {
    await sidecar.ready;
    const group = async (pid: number | "self") =>
      (await Deno.readTextFile(`/proc/${pid}/stat`)).replace(/^.*\) /, "").split(" ")[2];
    assert.notEqual(await group(sidecar.pid), await group("self"));
  }));

Deno.test("startSidecar() reports what the Sidecar says of why it does not start", () =>
  withSidecar("fatal", async ({ sidecar }) => {
    assert.deepEqual(await sidecar.ready, {
      ok: false,
      error: {
        code: "MAPPING_INVALID",
        message: "Cannot parse",
        cure: "fix it",
        at: { file: "a.toml", line: 3, column: 1 },
      },
    });
  }));

Deno.test("startSidecar() shows the end of the log of a Sidecar that dies before it serves", () =>
  withSidecar("dies", async ({ sidecar }) => {
    const ready = await sidecar.ready;
    assert.ok(!ready.ok);
    assert.equal(
      ready.error.message,
      "Cannot start the Sidecar: it ended with exit code 3\n  first line\n  the reason \x1b[2J",
    );
    assert.equal(await sidecar.exited, "exit code 3");
  }));

Deno.test("startSidecar() gives up on a Sidecar that does not serve in time", () =>
  withSidecar("silent", async ({ sidecar }) => {
    const ready = await sidecar.ready;
    assert.ok(!ready.ok && /it was not ready within 0\.2 s/.test(ready.error.message));
  }, { readyTimeoutMs: 200 }));

Deno.test("dismissHelper() ends a Sidecar that was told nothing", async () => {
  const spare = spawnSidecar(fake(""));
  await dismissHelper(spare);
  assert.equal((await spare.status).signal, "SIGKILL");
});

const REQUEST = {
  sandbox_id: "sbx",
  agent_id: "agt",
  profile: "generic",
  command: "sh",
  workspace: "/",
};

Deno.test("openSession() may be asked before the Sidecar serves, and takes no half answer", () =>
  withSidecar("", async ({ sidecar }) => {
    assert.deepEqual(await sidecar.openSession(REQUEST), {
      ok: true,
      value: {
        session_id: "ses_1",
        proxy_socket: "/p.sock",
        ca_certificate: "PEM",
        environment: {},
        sign_ins: {},
      },
    });
    await sidecar.endSession("ses_1", 7);
    assert.equal(await sidecar.end(), true);
    assert.match(await Deno.readTextFile(sidecar.logFile), /\{"exit":\{"exit_code":7\}\}/);
  }));

for (
  const [sandbox_id, error] of [
    ["incomplete", /answer of the Sidecar is incomplete/],
    ["refused", /^not granted$/],
    ["silent", /it opened no session within 0\.2 s/],
  ] as const
) {
  Deno.test(`openSession() says why there is no session: ${sandbox_id}`, () =>
    withSidecar("", async ({ sidecar }) => {
      const session = await sidecar.openSession({ ...REQUEST, sandbox_id });
      assert.ok(!session.ok);
      assert.match(session.error.message, error);
    }, { sessionTimeoutMs: 200 }));
}

for (const [mode, error] of [["dies", /exit code 3/], ["fatal", /^Cannot parse$/]] as const) {
  Deno.test(`openSession() fails with a Sidecar that does not start: ${mode}`, () =>
    withSidecar(mode, async ({ sidecar }) => {
      const session = await sidecar.openSession(REQUEST);
      assert.ok(!session.ok);
      assert.match(session.error.message, error);
      await sidecar.endSession("ses_1", 0); // which nobody hears
    }));
}

Deno.test("startSidecar() at its end lets the Sidecar end by itself, and ends one that does not", async () => {
  await withSidecar("", async ({ sidecar }) => {
    await sidecar.ready;
    await sidecar[Symbol.asyncDispose]();
    assert.equal(await sidecar.exited, "exit code 0");
  }, { drainTimeoutMs: DEADLINE_MS });
  await withSidecar("stubborn", async ({ sidecar }) => {
    await sidecar.ready;
    await sidecar[Symbol.asyncDispose]();
    assert.equal(await sidecar.exited, "signal SIGKILL");
  }, { drainTimeoutMs: 200, terminateTimeoutMs: 200 });
});
