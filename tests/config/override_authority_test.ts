import assert from "node:assert/strict";
import { overrideAuthority } from "../../src/config/override_authority.ts";
import { parseConfig } from "../../src/config/schema.ts";

const DEFAULTS = { projectDataDir: "/data", auditFile: "/audit", authorityKey: "/keys/a.key" };
const REMOTE = `url = "https://a.test:9443"
connect_addr = "10.0.0.5:9443"
public_key_path = "a.pub"
tls_client_cert_path = "c.crt"
tls_client_key_path = "c.key"
`;

function overridden(lines: string, authority: string | undefined) {
  const text = `[sidecar.authority]\nagent_id = "agt_00000000000000000000000000"\n${lines}`;
  const config = parseConfig(text, "/p/.firma/firma.toml", DEFAULTS);
  if (!config.ok) assert.fail(JSON.stringify(config.error));
  const result = overrideAuthority(config.value, authority);
  return result.ok ? result.value.sidecar.authority.remote : result.error.code;
}

Deno.test("overrideAuthority() keeps what is configured, but not where another one is dialled", () => {
  const [same, other] = ["https://a.test:9443", "https://b.test:9443"].map((url) => {
    const remote = overridden(REMOTE, url);
    assert.ok(typeof remote === "object");
    assert.deepEqual([remote.urls, remote.publicKeyPath], [[url], "/p/.firma/a.pub"]);
    return remote;
  });
  assert.deepEqual(same!.connectAddr, { hostname: "10.0.0.5", port: 9443 });
  assert.equal(other!.connectAddr, undefined);
  assert.equal(overridden(REMOTE, "local"), undefined);
  assert.equal(overridden("", "https://b.test:9443"), "AUTHORITY_WITHOUT_CERTIFICATE");
});
