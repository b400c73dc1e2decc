import assert from "node:assert/strict";
import { selfCommand } from "../../src/config/self_command.ts";
import { startUpstream } from "../fixtures/upstream.ts";
import { HOST, writeProject } from "./rig.ts";

Deno.test("a Sidecar cannot run programs or load libraries, even if somebody types y", async () => {
  // On a terminal, Deno asks before it refuses a permission that was given up, and
  // "y" grants it again: an agent that can make a person press a key would be free.
  const dir = await Deno.makeTempDir();
  const upstream = await startUpstream(HOST);
  await writeProject(dir, upstream, {});
  const [program, ...words] = selfCommand();
  const probe = new URL("./permissions_probe.ts", import.meta.url).pathname;
  const command = [program, ...words.slice(0, -1), probe, dir].map(quote).join(" ");
  const child = new Deno.Command("script", {
    args: ["--quiet", "--return", "--command", command, "/dev/null"],
    env: { SHELL: "/bin/sh" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const keys = child.stdin.getWriter();
  const typing = setInterval(
    () => keys.write(new TextEncoder().encode("y\n")).catch(() => {}),
    100,
  );
  const output = new TextDecoder().decode((await child.output()).stdout);
  clearInterval(typing);
  await keys.close().catch(() => {});
  const report = /REPORT (\{.*\})/.exec(output)?.[1];
  assert.ok(report !== undefined, output);
  const all = (result: string) => ({ run: result, ffi: result, sys: result, "run again": result });
  assert.deepEqual(JSON.parse(report), { before: all("worked"), after: all("NotCapable") });
  await upstream.close();
  await Deno.remove(dir, { recursive: true });
});

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
