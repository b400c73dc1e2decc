import assert from "node:assert/strict";
import { overrideAuthority } from "../../src/config/override_authority.ts";
import { parseConfig } from "../../src/config/schema.ts";
import { unwrap } from "../../src/core/result.ts";

const DEFAULTS = { projectDataDir: "/data/p", auditFile: "/data/a.jsonl", authorityKey: "/data/k" };

function configured(authority = "") {
  const parsed = parseConfig(
    `[sidecar.authority]\nagent_id = "agt_01jd8xk5w7e0v9c3b2n4m6q8rs"\n${authority}`,
    "/p/.firma/firma.toml",
    DEFAULTS,
  );
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.value;
}

const REMOTE = `url = "https://authority.test:9443"
public_key_path = "a.pub"
tls_client_cert_path = "c.crt"
tls_client_key_path = "c.key"
connect_timeout = "3s"
`;

Deno.test("overrideAuthority() leaves a configuration as it is where nothing goes before it", () => {
  const config = configured(REMOTE);
  assert.equal(unwrap(overrideAuthority(config, undefined)), config);
});

Deno.test("overrideAuthority() takes the Authority away, or puts another in its place", () => {
  const local = unwrap(overrideAuthority(configured(REMOTE), "local"));
  assert.equal(local.sidecar.authority.remote, undefined);
  const other = unwrap(overrideAuthority(configured(REMOTE), "https://other.test:1"));
  const { remote } = other.sidecar.authority;
  assert.deepEqual(remote?.urls, ["https://other.test:1"]);
  assert.equal(remote?.publicKeyPath, "/p/.firma/a.pub");
  assert.equal(remote?.connectTimeoutMs, 3_000);
  const socket = unwrap(overrideAuthority(configured(), "unix:///run/a.sock"));
  assert.deepEqual(socket.sidecar.authority.remote?.urls, ["unix:///run/a.sock"]);
  assert.equal(socket.sidecar.authority.remote?.publicKeyPath, "/data/k.pub");
});

// Without a certificate of its own a Sidecar would have to go there as nobody.
Deno.test("overrideAuthority() goes to no Authority on the network without a certificate", () => {
  const refused = overrideAuthority(configured(), "https://authority.test:9443");
  assert.ok(!refused.ok && refused.error.code === "AUTHORITY_WITHOUT_CERTIFICATE");
});
