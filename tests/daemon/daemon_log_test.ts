import assert from "node:assert/strict";
import { join } from "node:path";
import { appendLog } from "../../src/daemon/daemon_log.ts";

Deno.test("appendLog() writes lines that a terminal may show, and starts anew before it is large", async () => {
  const dir = await Deno.makeTempDir();
  const file = join(dir, "sidecar.log");
  appendLog(file, "warn", "a policy\x1b[2J\nINFO forged");
  const line = await Deno.readTextFile(file);
  // deno-lint-ignore no-control-regex -- controls are what must not be there
  assert.match(line, /^[\d-]+T[\d:.]+Z WARN a policy[^\n\x1b]*\n$/);
  assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600);
  await Deno.truncate(file, 9 * 1024 * 1024);
  appendLog(file, "info", "next");
  assert.match(await Deno.readTextFile(file), /^\S+ INFO next\n$/);
  assert.equal((await Deno.stat(`${file}.1`)).size, 9 * 1024 * 1024);
  appendLog("/proc/nowhere/sidecar.log", "info", "nobody is harmed");
  await Deno.remove(dir, { recursive: true });
});
