import assert from "node:assert/strict";
import { join } from "node:path";
import { Person } from "../fixtures/cli.ts";
import { startTokenService } from "../fixtures/token_service.ts";

const API = "api.anthropic.com";
const AUTH = "platform.claude.com";
const REAL = { access: "sk-ant-oat01-of-the-person", refresh: "sk-ant-ort01-of-the-person" };

/** What a program does with its sign-in: it uses it, renews it, writes it down, and uses it. */
const PROGRAM = `
import json, os, urllib.request
path = os.path.expanduser("~/.claude/.credentials.json")
file = json.load(open(path))
print("before", json.dumps(file))
def call(url, body=None, token=None):
    headers = {"content-type": "application/json"}
    if token: headers["authorization"] = "Bearer " + token
    request = urllib.request.Request(url, body and json.dumps(body).encode(), headers)
    return json.load(urllib.request.urlopen(request))
sign_in = file["claudeAiOauth"]
print("used", call("https://${API}/v1/models", token=sign_in["accessToken"]))
renewed = call("https://${AUTH}/v1/oauth/token", {
    "grant_type": "refresh_token", "refresh_token": sign_in["refreshToken"], "client_id": "x"})
sign_in["accessToken"], sign_in["refreshToken"] = renewed["access_token"], renewed["refresh_token"]
json.dump(file, open(path, "w"))
print("after", open(path).read())
print("used", call("https://${API}/v1/models", token=sign_in["accessToken"]))
`;

Deno.test("an agent works with a sign-in that was taken over, renews it, and holds placeholders alone", async () => {
  const service = await startTokenService(API, AUTH);
  service.good.set("person", REAL);
  await using person = await Person.create();
  const address = `127.0.0.1:${service.port}`;
  await person.configure({
    servers: [API, AUTH].map((host) => ({ host, address, certificate: service.caPem })),
    mappings: ["anthropic"],
  });
  await person.firma(["trust"]);
  const file = join(person.home, ".claude/.credentials.json");
  await Deno.mkdir(join(person.home, ".claude"));
  const sign = {
    accessToken: REAL.access,
    refreshToken: REAL.refresh,
    expiresAt: 4_000_000_000_000,
  };
  await Deno.writeTextFile(file, JSON.stringify({ claudeAiOauth: sign }), { mode: 0o600 });
  const added = await person.firma(["credentials", "add", "claude", "--from-sign-in"]);
  assert.equal(added.code, 0, added.stderr);
  const onHost = await Deno.readTextFile(file);

  await person.write("program.py", PROGRAM);
  const ran = await person.firma([
    "run",
    "--profile",
    "claude-code",
    "--",
    "python3",
    "program.py",
  ]);
  assert.equal(ran.code, 0, ran.stdout + ran.stderr);
  // The real ones arrived, the one that was renewed too ...
  const used = service.seen.filter(({ path }) => path === "/v1/models");
  const { access, refresh } = service.good.get("person")!;
  assert.deepEqual(used.map(({ authorization }) => authorization), [
    `Bearer ${REAL.access}`,
    `Bearer ${access}`,
  ]);
  // ... and the agent saw none.
  for (const token of [...service.given, ...Object.values(REAL)]) {
    assert.ok(!(ran.stdout + ran.stderr).includes(token), ran.stdout);
  }
  assert.match(ran.stdout, /before .*"sk-ant-oat01-[^"]+".*"expiresAt": 4000000000000/);
  assert.equal(await Deno.readTextFile(file), onHost, "the file of the host changed");
  const removed = await person.firma(["credentials", "remove", "claude"]);
  assert.equal(removed.code, 0, removed.stderr);
  assert.ok((await Deno.readTextFile(file)).includes(refresh), "the renewed one is not given back");
  await service.close();
});
