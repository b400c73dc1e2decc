import assert from "node:assert/strict";
import { join } from "node:path";
import { credentialsCheck } from "../../../src/doctor/checks/credentials.ts";
import { found, Place, statuses } from "../support.ts";

const named = (label: string, lines: string, host = "mapped.test") =>
  `[sidecar.credentials.${label}]\nhosts = ["${host}"]\npaths = ["/${label}"]\n${lines}\n`;

Deno.test("credentialsCheck has nothing to say where there are none, and is content with sound ones", async () => {
  using place = new Place();
  place.configure();
  assert.deepEqual(await statuses(credentialsCheck, place.world()), ["ok"]);
  const token = place.write("token", "a secret\n");
  Deno.chmodSync(token, 0o600);
  place.configure({
    more: named("file", `provider = "file"\npath = "${token}"`) +
      named("helper", 'provider = "command"\ncommand = ["/bin/cat"]') +
      named("variable", 'provider = "environment"\nvariable = "HOME"'),
  });
  assert.deepEqual(await statuses(credentialsCheck, place.world()), ["ok", "ok", "ok"]);
});

Deno.test("credentialsCheck finds what a call would fail for, and who else can get at a secret", async () => {
  using place = new Place();
  const token = place.write("token", "a secret\n");
  Deno.chmodSync(token, 0o644);
  const helper = place.write("helper", "#!/bin/sh\n");
  Deno.chmodSync(helper, 0o777);
  place.configure({
    more: [
      named("wide", `provider = "file"\npath = "${token}"`),
      named("gone", `provider = "file"\npath = "${join(place.base, "none")}"`),
      named("missing", 'provider = "command"\ncommand = ["/nonexistent/op"]'),
      named("open", `provider = "command"\ncommand = ["${helper}"]`),
      named("unset", 'provider = "environment"\nvariable = "NOT_SET"'),
      named("unmapped", 'provider = "command"\ncommand = ["/bin/cat"]', "other.test"),
    ].join(""),
  });
  const findings = await found(credentialsCheck, place.world());
  const told = findings.map(({ status, reason }) => `${status} ${reason.split(/[:,]/, 2).join()}`);
  assert.deepEqual(told.map((line) => line.split(",")[0]), [
    "fail wide",
    "fail gone",
    "fail missing",
    "warn open",
    "warn unset",
    "warn unmapped",
  ]);
  assert.equal(findings[0]!.cure, `chmod 600 ${token}`);
  for (const { cure } of findings) assert.ok(cure);
});
