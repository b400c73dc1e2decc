import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { selfCommand } from "../../src/config/self_command.ts";
import { PERMIT } from "../authority/support.ts";
import { startUpstream } from "../fixtures/upstream.ts";
import { HOST, writeProject } from "../sidecar/rig.ts";
import type { PartReport } from "./attempts.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PROBE = "tests/permissions/probe.ts";
/** What the executable is made of. */
const SOURCES =
  "LICENSE deno.json deno.lock main.ts src packs policies scripts tests/permissions tests/fixtures";

/** Builds the probe as firma is built, in a copy: what `scripts/build` leaves is not ours to change. */
async function compile(directory: string): Promise<string> {
  const script = `cd "$1" && tar -cf - ${SOURCES} | tar -xf - -C "$2" && cd "$2" &&
    scripts/build --entry ${PROBE}`;
  const { success, stdout, stderr } = await new Deno.Command("/bin/sh", {
    args: ["-euc", script, "sh", ROOT, directory],
  }).output();
  const text = new TextDecoder();
  assert.ok(success, text.decode(stdout) + text.decode(stderr));
  return `${directory}/dist/probe`;
}

/** What a part needs, in its directory; the line is for its standard input. */
const PARTS: Readonly<
  Record<string, { prepare?: (directory: string) => Promise<unknown>; line?: string }>
> = {
  authority: {
    async prepare(directory) {
      for (const name of ["policies", "issuance-policies"]) {
        await Deno.mkdir(`${directory}/${name}`);
        await Deno.writeTextFile(`${directory}/${name}/a.cedar`, PERMIT);
      }
      const config = `[authority]\nlisten_addr = "unix://${directory}/a.sock"\n`;
      await Deno.writeTextFile(`${directory}/firma.toml`, config);
    },
  },
  sidecar: {
    async prepare(directory) {
      const upstream = await startUpstream(HOST);
      await writeProject(directory, upstream, {});
      await upstream.close();
    },
  },
  broker: { line: '{"type":"start","credentials":[],"stores":[]}' },
  "data plane": {},
  monitor: {},
};

/**
 * Tries from inside of a part, on a terminal where somebody types y all the time: Deno asks before
 * it refuses a permission that was given up, and "y" grants it again. An agent that can make a
 * person press a key would be free.
 */
async function attempt(program: string[], part: string, line: string): Promise<PartReport> {
  const directory = await Deno.makeTempDir();
  try {
    await PARTS[part]!.prepare?.(directory);
    const child = new Deno.Command("script", {
      args: [
        ...["--quiet", "--return", "--echo", "never", "--command"],
        [...program, "try", part, directory].map(quote).join(" "),
        "/dev/null",
      ],
      env: {
        SHELL: "/bin/sh",
        HOME: directory,
        FIRMA_STATE_DIR: `${directory}/state`,
        XDG_DATA_HOME: `${directory}/data`,
      },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const keys = child.stdin.getWriter();
    const type = (text: string) => keys.write(new TextEncoder().encode(text)).catch(() => {});
    type(`${line}\n`);
    const typing = line === "" ? setInterval(() => type("y\n"), 100) : undefined;
    const output = new TextDecoder().decode((await child.output()).stdout);
    clearInterval(typing);
    await keys.close().catch(() => {});
    const report = /REPORT (\{.*\})/.exec(output)?.[1];
    assert.ok(report !== undefined, output);
    return JSON.parse(report);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

async function tryParts(program: string[], t: Deno.TestContext): Promise<void> {
  for (const [part, { line = "" }] of Object.entries(PARTS)) {
    await t.step(part, async () => {
      const { before, attempts, rights } = await attempt(program, part, line);
      assert.ok(Object.keys(attempts).length > 5);
      for (const [what, came] of Object.entries(attempts)) assert.equal(came, "refused", what);
      for (const [what, came] of Object.entries({ ...before, ...rights })) {
        assert.equal(came, "worked", what);
      }
    });
  }
}

Deno.test("no part of firma can do more than it needs, from source", async (t) => {
  const words = selfCommand();
  await tryParts([...words.slice(0, -1), `${ROOT}${PROBE}`], t);
});

Deno.test({
  name: "no part of firma can do more than it needs, compiled",
  // Only where firma was built can anything be built that is like it.
  ignore: !existsSync(`${ROOT}dist/firma`),
  async fn(t) {
    const directory = await Deno.makeTempDir();
    try {
      await tryParts([await compile(directory)], t);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});
