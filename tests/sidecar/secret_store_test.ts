import assert from "node:assert/strict";
import { eventually } from "../fixtures/deadline.ts";
import { startUpstream } from "../fixtures/upstream.ts";
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

Deno.test("a value of a secret store goes where the operator said, and nowhere else", async () => {
  const [bound, other] = ["bound.store.test", "other.store.test"];
  const upstream = await startUpstream(bound, other);
  const rules = [HOST, bound, other].map((host) =>
    `[[rules]]\nhost = "${host}"\naction_class = "code.read"\n`
  ).join("");
  await using rig = await Rig.start({
    rules,
    policy: "permit (principal, action, resource);",
    prepare: (dir) => Deno.writeTextFile(`${dir}/other-ca.pem`, upstream.caPem),
    more: [bound, other].map((host) => `
[[sidecar.connector.hosts]]
host = "${host}"
connect_addr = "127.0.0.1:${upstream.tlsPort}"
ca_cert_path = "other-ca.pem"
`).join("") + `
[[sidecar.http_secret_providers]]
provider_id = "team"
host = "${HOST}"
hosts = ["${bound}"]
[[sidecar.http_secret_providers.matchers]]
kind = "sensitive"
path = "/echo"
values = ["rawHeaders.*"]
`,
  });
  const session = await rig.session();
  const given = await session.curl("/echo", "--header", `X-Value: ${VALUE}`);
  const headers: string[] = JSON.parse(given.body).rawHeaders;
  const sent = rig.upstream.seen.at(-1)!.rawHeaders;
  const placeholder = headers[sent.indexOf(VALUE)]!;
  assert.match(placeholder, /^fsp_/);
  const bearer = ["--header", `Authorization: Bearer ${placeholder}`];
  const data = (text: string) => [
    ...["--header", "Content-Type: application/json", "--request", "POST", "--data", text],
  ];

  const used = await session.curl(`https://${bound}/echo`, ...bearer);
  assert.equal(used.status, 200, used.body);
  const arrived = () => upstream.seen.at(-1)!.rawHeaders;
  assert.ok(arrived().includes(`Bearer ${VALUE}`));
  assert.ok(!used.body.includes(VALUE) && used.body.includes(placeholder), used.body);
  const json = JSON.stringify({ password: placeholder });
  const posted = await session.curl(`https://${bound}/echo`, ...data(json));
  assert.equal(JSON.parse(posted.body).body.size, json.length - placeholder.length + VALUE.length);

  const stranger = await rig.session();
  const attempts = [
    () => session.curl(`https://${other}/echo`, ...bearer),
    () => session.curl(`https://${bound}/echo?q=${placeholder}`),
    () => session.curl(`https://${bound}/echo`, ...data(JSON.stringify({ text: placeholder }))),
    () => session.curl(`http://${bound}/echo`, ...bearer),
    () => stranger.curl(`https://${bound}/echo`, ...bearer),
  ];
  const refused = async () => {
    const before = upstream.seen.length;
    for (const [index, attempt] of attempts.entries()) {
      assert.equal((await attempt()).reason, "PlaceholderRefused", `attempt ${index}`);
    }
    assert.equal(upstream.seen.length, before);
  };
  await refused();

  // Nor does the data plane that comes after this one know less.
  const more = `${rules}\n[[rules]]\nhost = "new.test"\naction_class = "code.read"\n`;
  await Deno.writeTextFile(`${rig.dir}/mappings/test.toml`, more);
  await eventually("the next data plane", () => rig.notices(/data plane starts again/)[0]);
  const url = `https://${bound}/reflect/raw/identity/0`;
  const options = ["--header", `Authorization: ${VALUE}`];
  const after = await eventually("an answer", async () => {
    const answer = await session.curl(url, ...options);
    return answer.status === 200 ? answer : undefined;
  });
  assert.equal(after.body, placeholder);
  assert.equal((await stranger.curl(url, ...options)).body, VALUE, "the control");
  const usedAgain = await session.curl(`https://${bound}/echo`, ...bearer);
  assert.equal(usedAgain.status, 200, usedAgain.body);
  assert.ok(arrived().includes(`Bearer ${VALUE}`));
  await refused();
  await upstream.close();
});
