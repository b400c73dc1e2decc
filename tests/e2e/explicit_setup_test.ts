import assert from "node:assert/strict";
import { join } from "node:path";
import { Person } from "../fixtures/cli.ts";
import { eventually } from "../fixtures/deadline.ts";
import { TestCa } from "../fixtures/test_ca.ts";
import { startWebServer } from "../fixtures/web_server.ts";

const HOST = "api.anthropic.com";
const CLAUDE = `#!/bin/sh
exec curl -sS https://${HOST}/v1/models
`;
const NOTHING = `@id("nothing")
forbid (principal, action, resource) unless { context.raw_transport == "exec" };
`;

Deno.test("firma config, sidecar start --detach, run and monitor work one after the other", async () => {
  const ca = await TestCa.create();
  await using server = await startWebServer({ ca, host: HOST });
  await using person = await Person.create();
  const bin = join(person.home, "bin");
  await person.write(join("..", "bin/claude"), CLAUDE);
  await Deno.chmod(join(bin, "claude"), 0o755);
  const options = { env: { PATH: `${bin}:/usr/bin:/bin` } };

  const config = person.startOnTerminal(["config"], options);
  await config.write("\n\n\n\n\n"); // what is offered: agent-local, its profile, dev, anthropic
  await config.printed(/Go on\? \[Y\/n\]/);
  await config.write("\n");
  assert.equal((await config.finished()).code, 0, config.stdout);
  // The vendor is on this machine.
  const toml = await person.read(".firma/firma.toml");
  await person.write(".firma/vendor.pem", ca.certificate);
  await person.write(
    ".firma/firma.toml",
    `${toml}
[[sidecar.connector.hosts]]
host = "${HOST}"
connect_addr = "${server.address}"
ca_cert_path = "vendor.pem"
`,
  );
  assert.equal((await person.firma(["trust"], options)).code, 0);

  const started = await person.firma(["sidecar", "start", "--detach"], options);
  assert.equal(started.code, 0, started.stderr);
  const claude = () => person.firma(["run", "--", "claude"], options);
  const first = await claude();
  assert.equal(first.stdout, "hello from /v1/models\n", first.stderr);
  const monitor = await person.firma(["monitor"], options);
  assert.match(monitor.stdout, new RegExp(`ALLOW +GET +${HOST}/v1/models `));

  await person.write(".firma/policies/nothing.cedar", NOTHING);
  const validated = await person.firma(["policy", "validate", ".firma/policies/nothing.cedar"]);
  assert.equal(validated.code, 0, validated.stderr);
  await eventually("the new policy to hold", async () => {
    const { stdout } = await claude();
    return /"reason": ?"PolicyDenied"/.test(stdout) || undefined;
  });
  const stopped = await person.firma(["sidecar", "stop"], options);
  assert.equal(stopped.code, 0, stopped.stderr);
  assert.equal((await person.firma(["audit", "verify"], options)).code, 0);
});
