import assert from "node:assert/strict";
import { newId } from "../../src/core/id.ts";
import { parseConfig } from "../../src/config/schema.ts";

const DEFAULTS = { projectDataDir: "/data", auditFile: "/audit", authorityKey: "/keys/a.key" };

function parse(lines: string) {
  const text = `[sidecar.authority]\nagent_id = "${newId("agt")}"\n${lines}`;
  return parseConfig(text, "/p/.firma/firma.toml", DEFAULTS);
}

function remote(lines: string) {
  const parsed = parse(lines);
  if (!parsed.ok) assert.fail(JSON.stringify(parsed.error));
  return parsed.value.sidecar.authority.remote;
}

const TLS = `tls_client_cert_path = "c.crt"\ntls_client_key_path = "c.key"\n`;
const SECURE = `url = "https://a.test:9443"\npublic_key_path = "a.pub"\n${TLS}`;

Deno.test("[sidecar.authority] names no Authority unless it has a url", () => {
  assert.equal(remote(""), undefined);
  assert.equal(remote('connect_timeout = "1s"\n'), undefined);
});

Deno.test("[sidecar.authority] takes one on a socket for this user's own", () => {
  assert.deepEqual(remote('url = "unix:///run/a.sock"\n'), {
    urls: ["unix:///run/a.sock"],
    connectAddr: undefined,
    publicKeyPath: "/keys/a.key.pub",
    caCertPath: undefined,
    clientCertPath: undefined,
    clientKeyPath: undefined,
    credentials: undefined,
    connectTimeoutMs: 10_000,
    revocationFailClosed: false,
    revocationGraceMs: 500,
    minBackoffMs: 250,
    maxBackoffMs: 30_000,
  });
  const other = remote('url = "unix:///run/a.sock"\npublic_key_path = "other.pub"\n');
  assert.equal(other?.publicKeyPath, "/p/.firma/other.pub");
});

Deno.test("[sidecar.authority] reads what reaching one over the network takes", () => {
  const config = remote(`${SECURE}ca_cert_path = "/etc/ca.crt"
fallback_urls = ["https://b.test", "unix:///run/a.sock"]
connect_timeout = "1s"
connect_addr = "[::1]:1234"
revocation_fail_closed_on_disconnect = true
revocation_readiness_grace = "0s"
reconnect_min_backoff = "10ms"
reconnect_max_backoff = "1s"
`);
  assert.deepEqual(config, {
    urls: ["https://a.test:9443", "https://b.test", "unix:///run/a.sock"],
    connectAddr: { hostname: "::1", port: 1234 },
    publicKeyPath: "/p/.firma/a.pub",
    caCertPath: "/etc/ca.crt",
    clientCertPath: "/p/.firma/c.crt",
    clientKeyPath: "/p/.firma/c.key",
    credentials: undefined,
    connectTimeoutMs: 1_000,
    revocationFailClosed: true,
    revocationGraceMs: 0,
    minBackoffMs: 10,
    maxBackoffMs: 1_000,
  });
});

const CREDENTIALS = `url = "unix:///a"
[sidecar.authority.credentials]
workspace_id = "acme"
sidecar_id = "build-1"
`;

Deno.test("[sidecar.authority.credentials] says where the secret is, and not what it is", () => {
  const owner = { workspaceId: "acme", sidecarId: "build-1" };
  assert.deepEqual(remote(`${CREDENTIALS}pre_shared_key_env = "SECRET"\n`)?.credentials, {
    ...owner,
    key: { from: "environment", variable: "SECRET" },
  });
  assert.deepEqual(remote(`${CREDENTIALS}pre_shared_key_path = "psk"\n`)?.credentials, {
    ...owner,
    key: { from: "file", path: "/p/.firma/psk" },
  });
});

Deno.test("env_passthrough hands no agent the pre-shared key", () => {
  const run = '\n[run]\nenv_passthrough = ["LANG", "SECRET"]\n';
  const parsed = parse(`${CREDENTIALS}pre_shared_key_env = "SECRET"${run}`);
  assert.ok(!parsed.ok);
  assert.match(parsed.error[0]!.message, /"run.env_passthrough\[1\]": the agent would see/);
  assert.ok(parse(`${CREDENTIALS}pre_shared_key_env = "OTHER"${run}`).ok, "the control");
});

const REFUSED: Record<string, [string, string]> = {
  "plain http": ['url = "http://a.test"', "url"],
  "a path on a host": ['url = "https://a.test/x"', "url"],
  "a user": ['url = "https://me@a.test"', "url"],
  "a relative socket": ['url = "unix://a.sock"', "url"],
  "another socket that is relative": [`${SECURE}fallback_urls = ["unix:a"]`, "fallback_urls[0]"],
  "https without a key to believe": [`url = "https://a.test"\n${TLS}`, "public_key_path"],
  "https without a certificate": [
    'url = "https://a.test"\npublic_key_path = "a.pub"',
    "tls_client_key_path",
  ],
  "https behind a socket, without one": [
    'url = "unix:///a"\nfallback_urls = ["https://a.test"]',
    "public_key_path",
  ],
  "a certificate without its key": [
    'url = "unix:///a"\ntls_client_cert_path = "c.crt"',
    "tls_client_key_path",
  ],
  "a key without its certificate": [
    'url = "unix:///a"\ntls_client_key_path = "c.key"',
    "tls_client_cert_path",
  ],
  "a key to believe for no Authority": ['public_key_path = "a.pub"', "public_key_path"],
  "others than none": ['fallback_urls = ["unix:///a"]', "fallback_urls"],
  "credentials for no Authority": [
    CREDENTIALS.replace(/^url.*/, "") + 'pre_shared_key_env = "S"',
    "credentials",
  ],
  "credentials without a workspace": [
    CREDENTIALS.replace(/workspace.*/, "") + 'pre_shared_key_env = "S"',
    "credentials.workspace_id",
  ],
  "credentials without a name": [
    CREDENTIALS.replace(/sidecar_id.*/, "") + 'pre_shared_key_env = "S"',
    "credentials.sidecar_id",
  ],
  "credentials without a secret": [CREDENTIALS, "credentials.pre_shared_key_path"],
  "credentials with two": [
    `${CREDENTIALS}pre_shared_key_env = "S"\npre_shared_key_path = "p"`,
    "credentials.pre_shared_key_env",
  ],
  "a secret in the file": [
    `${CREDENTIALS}pre_shared_key = "hunter2"`,
    "credentials.pre_shared_key",
  ],
  "no name of a variable": [
    `${CREDENTIALS}pre_shared_key_env = "A=B"`,
    "credentials.pre_shared_key_env",
  ],
  "an address for a socket": ['url = "unix:///a"\nconnect_addr = "127.0.0.1:1"', "connect_addr"],
  "an address for no Authority": ['connect_addr = "127.0.0.1:1"', "connect_addr"],
  "an address without a port": [`${SECURE}connect_addr = "127.0.0.1"`, "connect_addr"],
  "waits that shrink": [
    'url = "unix:///a"\nreconnect_min_backoff = "2s"\nreconnect_max_backoff = "1s"',
    "reconnect_max_backoff",
  ],
};

for (const [name, [lines, key]] of Object.entries(REFUSED)) {
  Deno.test(`[sidecar.authority] refuses ${name}, by its key`, () => {
    const parsed = parse(lines);
    assert.ok(!parsed.ok);
    assert.match(parsed.error[0]!.message, /^Cannot use "sidecar\.authority\./);
    assert.ok(
      parsed.error[0]!.message.includes(`"sidecar.authority.${key}"`),
      JSON.stringify(parsed),
    );
    assert.ok(parsed.error[0]!.at?.line);
  });
}

Deno.test("clock_skew_tolerance is nothing in one process, and something between two machines", () => {
  const skew = (lines: string) => {
    const parsed = parse(lines);
    return parsed.ok && parsed.value.sidecar.capabilityValidation.clockSkewToleranceMs;
  };
  assert.equal(skew(""), 0);
  assert.equal(skew('url = "unix:///a"\n'), 5_000);
  const none = '[sidecar.capability_validation]\nclock_skew_tolerance = "0s"\n';
  assert.equal(skew(`url = "unix:///a"\n${none}`), 0);
});
