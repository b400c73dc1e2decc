import assert from "node:assert/strict";
import { newId } from "../../src/core/id.ts";
import { describeConfig } from "../../src/config/describe.ts";
import { digestOf } from "../../src/config/load.ts";
import type { OperatorFile } from "../../src/config/operator_files.ts";
import { parseConfig } from "../../src/config/schema.ts";

function file(kind: OperatorFile["kind"], name: string, text: string): OperatorFile {
  return { kind, path: `/p/${name}`, name, text, digest: digestOf(text) };
}

Deno.test("describeConfig() says what a configuration would open", () => {
  const config = parseConfig(
    `[sidecar]
mode = "monitor"
[sidecar.authority]
agent_id = "${newId("agt")}"
[sidecar.mapping]
default_protected = false
[[sidecar.connector.hosts]]
host = "git.test"
connect_addr = "10.0.0.1:443"
[sidecar.interceptor]
mode = "http_proxy"
https_mitm.bypass_hosts = ["pinned.test"]
[run]
env_passthrough = ["AWS_SECRET_ACCESS_KEY"]
`,
    "/p/firma.toml",
    { projectDataDir: "/d", auditFile: "/audit.jsonl", authorityKey: "/k" },
  );
  assert.ok(config.ok);
  const text = `// permit(nothing);
@id("permit (x)") permit(principal, action, resource) when { context.permit };
forbid (principal, action, resource);`;
  assert.deepEqual(
    describeConfig(config.value, [
      file("policy", "policies/a.cedar", text),
      file("mapping", "mappings/a.toml", "[[rules]]\n# [[rules]]\n[[rules]]\n"),
    ]),
    [
      "policy policies/a.cedar: 1 permit, 1 forbid",
      "mapping mappings/a.toml: 2 rules",
      "policies are observed and not enforced",
      "a proxy listens on 127.0.0.1 port 8080, for whoever has a password",
      "calls to hosts that no rule names are let through undecided",
      "host git.test is reached at 10.0.0.1:443",
      "not inspected: pinned.test",
      "variables handed to the agent: AWS_SECRET_ACCESS_KEY",
      "audit log: /audit.jsonl",
    ],
  );
});

Deno.test("describeConfig() says whose policies decide where the Authority is another's", () => {
  const config = parseConfig(
    `[sidecar.authority]
agent_id = "${newId("agt")}"
url = "https://authority.test:9443"
public_key_path = "authority.pub"
tls_client_cert_path = "client.crt"
tls_client_key_path = "client.key"
`,
    "/p/firma.toml",
    { projectDataDir: "/d", auditFile: "/audit.jsonl", authorityKey: "/k" },
  );
  assert.ok(config.ok);
  const key = file("Authority key", "authority.pub", "AAAA=\n");
  const roots = file("CA certificate", "ca.crt", "-----BEGIN CERTIFICATE-----\n");
  assert.deepEqual(describeConfig(config.value, [key, roots]), [
    "policies and tokens of the Authority at https://authority.test:9443",
    "Authority key authority.pub: AAAA=",
    "CA certificate ca.crt: 1 certificate",
    "audit log: /audit.jsonl",
  ]);
});
