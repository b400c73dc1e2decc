import assert from "node:assert/strict";
import { HOST, Rig, RULES } from "./rig.ts";

const VALUE = "kP9-zzQ1-value-of-the-store";

Deno.test("a secret store gives agents placeholders, and nothing that no matcher names", async () => {
  // What the agent sends stands for what the store knows: the server shows it.
  await using rig = await Rig.start({
    rules: RULES,
    more: `
[[sidecar.http_secret_providers]]
provider_id = "team"
host = "${HOST}"
[[sidecar.http_secret_providers.matchers]]
kind = "sensitive"
path = "/echo"
values = ["rawHeaders.*"]
[[sidecar.http_secret_providers.matchers]]
kind = "safe"
path = "/reflect/**"
[[sidecar.http_secret_providers.matchers]]
kind = "sensitive"
path = "/cookies"
values = ["value"]
`,
  });
  const session = await rig.session();
  const header = ["--header", `Authorization: ${VALUE}`] as const;
  const before = await session.curl("/reflect/raw/identity/0", ...header);
  assert.equal(before.body, VALUE, "nobody has heard of it");
  const given = await session.curl("/echo", ...header, "--compressed");
  assert.equal(given.status, 200, given.body);
  assert.ok(!given.body.includes(VALUE));
  const shown = JSON.parse(given.body).rawHeaders;
  assert.ok(shown.every((text: string) => text.startsWith("fsp_")), given.body);
  for (const form of ["raw", "json-escaped", "base64-1"]) {
    const after = await session.curl(`/reflect/${form}/gzip/3`, ...header, "--compressed");
    assert.equal(after.status, 200);
    assert.ok(!after.body.includes(VALUE) && after.body.length > 20, after.body);
  }
  assert.ok(shown.includes((await session.curl("/reflect/raw/identity/0", ...header)).body));
  // An answer that is not what the matcher says passes nothing on.
  const other = await session.curl("/cookies");
  assert.ok(!other.body.includes("cookies"), other.body);
  for (const path of ["/bytes/5", "/echo/", "/status/200"]) {
    const sent = rig.upstream.seen.length;
    const blocked = await session.curl(path);
    assert.equal(blocked.reason, "SecretStoreBlocked", path);
    assert.equal(rig.upstream.seen.length, sent, "it left");
  }
  assert.ok(!(await Deno.readTextFile(rig.auditFile)).includes(VALUE));
});
