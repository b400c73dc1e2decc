import assert from "node:assert/strict";
import { preSharedKeyDigest } from "../../../src/authority/pre_shared_key.ts";
import { parsePreSharedKeys } from "../../../src/authority/service/pre_shared_keys.ts";
import { eventually } from "../../fixtures/deadline.ts";
import { Listener } from "../support.ts";
import { certificates } from "./certificates.ts";
import { request, serve } from "./support.ts";

const [ONE, TWO] = ["1", "2"].map((digit) => digit.repeat(64));
const WORKSPACE = "acme";

function entry(sidecarId: string, key: string): string {
  return `[[sidecars]]
workspace_id = "${WORKSPACE}"
sidecar_id = "${sidecarId}"
key_sha256 = "${preSharedKeyDigest(key)}"
`;
}

const credentials = (sidecarId: string, preSharedKey: string, workspaceId = WORKSPACE) => ({
  workspaceId,
  sidecarId,
  preSharedKey,
});

Deno.test("a client needs its pre-shared key beside its certificate, where there is a list", async (t) => {
  await using pki = await certificates();
  const { files: tls } = await pki.client("sidecar-1");
  const preSharedKeysPath = `${pki.path}/keys.toml`;
  await Deno.writeTextFile(
    preSharedKeysPath,
    entry("a", ONE!) + entry("b", TWO!) + entry("c", "x"),
  );
  await using authority = await serve({ tls: pki.serverTls, preSharedKeysPath });
  await using good = await authority.client({ tls, credentials: credentials("a", ONE!) });
  const granted = await good.remote.issueCapability(request());
  assert.ok(granted.granted, "the control");
  const cases: Record<string, [ReturnType<typeof credentials> | undefined, RegExp]> = {
    "none": [undefined, /"sidecar-1": it sent no pre-shared key/],
    "an empty one": [credentials("a", ""), /it sent no pre-shared key/],
    "a wrong one": [credentials("a", `${ONE!.slice(1)}0`), /is not that of sidecar "a"/],
    "another's": [credentials("a", TWO!), /is not that of sidecar "a" of workspace "acme"/],
    "of nobody": [credentials("z", ONE!), /is not that of sidecar "z"/],
    "of another workspace": [credentials("a", ONE!, "other"), /of workspace "other"/],
    "its digest": [credentials("a", preSharedKeyDigest(ONE!)), /is not that of sidecar "a"/],
    "one that is short": [credentials("c", "x"), /is not that of sidecar "c"/],
    "one with a name to forge lines": [credentials("a\n\u202e", ONE!), /sidecar "a\\n/],
  };
  for (const [name, [shown, reason]] of Object.entries(cases)) {
    await t.step(name, async () => {
      await using client = await authority.client({ tls, credentials: shown });
      const answer = await client.remote.issueCapability(request());
      assert.ok(!answer.granted);
      assert.match(answer.denyMessage, /\[unauthenticated\]/);
      assert.ok(authority.log.some((line) => reason.test(line)), authority.log.join("\n"));
      await using bundles = new Listener((signal) => client.remote.watchPolicyBundle(signal));
      await using lists = new Listener((signal) => client.remote.watchRevocations(signal));
      await eventually("both refusals", () => client.notices.length >= 2 || undefined);
      assert.deepEqual([bundles.heard, lists.heard], [[], []]);
    });
  }
  assert.ok((await good.remote.issueCapability(request())).granted);
  for (const key of [ONE!, TWO!]) {
    assert.ok(!authority.log.some((line) => line.includes(key)), "the secret is in the log");
  }
});

Deno.test("a pre-shared key that is taken off the list cuts its client off at once, and no other", async () => {
  await using pki = await certificates();
  const preSharedKeysPath = `${pki.path}/keys.toml`;
  await Deno.writeTextFile(preSharedKeysPath, entry("a", ONE!) + entry("b", TWO!));
  await using authority = await serve({ preSharedKeysPath });
  await using goes = await authority.client({ credentials: credentials("a", ONE!) });
  await using stays = await authority.client({ credentials: credentials("b", TWO!) });
  await using going = new Listener((signal) => goes.remote.watchPolicyBundle(signal));
  await using staying = new Listener((signal) => stays.remote.watchPolicyBundle(signal));
  await eventually("both", () => going.heard[0] && staying.heard[0] ? true : undefined);

  await Deno.writeTextFile(preSharedKeysPath, "[[sidecar]]\n");
  await eventually(
    "the mistake in the log",
    () =>
      authority.log.some((line) => /"sidecar" is not known.*stays in force/.test(line)) ||
      undefined,
  );
  assert.ok((await goes.remote.issueCapability(request())).granted);

  await Deno.writeTextFile(preSharedKeysPath, entry("b", TWO!));
  await eventually("the end of its stream", () => goes.notices.length > 0 || undefined);
  assert.ok(!(await goes.remote.issueCapability(request())).granted);
  assert.ok((await stays.remote.issueCapability(request())).granted);
  assert.deepEqual(stays.notices, [], "its stream went on");
});

Deno.test("parsePreSharedKeys() takes no list with a mistake in it", async (t) => {
  const digest = preSharedKeyDigest(ONE!);
  assert.equal(parsePreSharedKeys("", "f").ok, true, "the control: nobody");
  const cases: Record<string, [string, RegExp]> = {
    "no TOML": ["[[", /./],
    "another key": [`${entry("a", ONE!)}key = "${ONE}"`, /"sidecars\.0\.key" is not known here/],
    "the key itself": [entry("a", ONE!).replace(digest, "hunter2"), /not a SHA-256 in hex/],
    "no owner": [entry("", ONE!), /"sidecars\.0\.sidecar_id" is empty/],
    "one owner twice": [entry("a", ONE!) + entry("a", TWO!), /sidecar "a".* is there twice/],
  };
  for (const [name, [text, reason]] of Object.entries(cases)) {
    await t.step(name, () => {
      const parsed = parsePreSharedKeys(text, "f");
      assert.ok(!parsed.ok);
      assert.match(parsed.error.message, reason);
      assert.doesNotMatch(parsed.error.message, /hunter2/);
    });
  }
});
