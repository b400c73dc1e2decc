import assert from "node:assert/strict";
import { type AuthorityConfig, parseAuthorityConfig } from "../../src/config/authority_config.ts";
import { placedKeys } from "./placed_keys.ts";
import { AUTHORITY } from "../../src/config/keys/authority.ts";
import { parseListenAddress } from "../../src/config/listen_address.ts";

const ENV = { XDG_DATA_HOME: "/data", XDG_RUNTIME_DIR: "/run/user/1" };

function parse(text: string, env: Record<string, string> = {}) {
  return parseAuthorityConfig({ file: "/etc/firma/firma.toml", text, digest: "" }, {
    ...ENV,
    ...env,
  });
}

function faults(text: string, env: Record<string, string> = {}) {
  const parsed = parse(text, env);
  return parsed.ok ? [] : parsed.error;
}

Deno.test("parseAuthorityConfig() fills in what a file does not say", () => {
  const parsed = parse("[authority]\n");
  if (!parsed.ok) assert.fail(JSON.stringify(parsed.error));
  const { listen, keyFile, policyDir, maxTtlMs, bundleTtlMs, agentId } = parsed.value;
  assert.deepEqual(listen, { kind: "unix", path: "/run/user/1/firma/authority.sock" });
  assert.equal(keyFile, "/data/firma/keys/authority.key");
  assert.equal(policyDir, "/etc/firma/policies");
  assert.deepEqual([maxTtlMs, bundleTtlMs, agentId], [3_600_000, 30_000, undefined]);
});

Deno.test("parseAuthorityConfig() reads what a file says", () => {
  const parsed = parse(`[authority]
listen_addr = "[::1]:9443"
max_ttl = "5m"
tls_cert_path = "tls/server.crt"
authorized_clients_path = "/elsewhere/clients.toml"
`);
  if (!parsed.ok) assert.fail(JSON.stringify(parsed.error));
  assert.deepEqual(parsed.value.listen, { kind: "tcp", hostname: "::1", port: 9443 });
  assert.equal(parsed.value.maxTtlMs, 300_000);
  assert.equal(parsed.value.tlsCertPath, "/etc/firma/tls/server.crt");
  assert.equal(parsed.value.authorizedClientsPath, "/elsewhere/clients.toml");
});

Deno.test("parseAuthorityConfig() lets the environment go before the file", () => {
  const parsed = parse('[authority]\nmax_ttl = "5m"\n', { FIRMA_AUTHORITY_MAX_TTL: "1m" });
  assert.ok(parsed.ok);
  assert.equal(parsed.value.maxTtlMs, 60_000);
  const [fault] = faults('[authority]\nmax_ttl = "5m"\n', { FIRMA_AUTHORITY_MAX_TTL: "soon" });
  assert.match(fault!.message, /"soon" is not a duration/);
  assert.equal(fault!.cure, "change or unset FIRMA_AUTHORITY_MAX_TTL");
  assert.equal(fault!.at, undefined, "the file is not at fault");
});

Deno.test("parseAuthorityConfig() has a variable for every key of [authority]", async (t) => {
  const FILE = '[authority]\nmapping_rules_paths = ["of-the-file.toml"]\n';
  const cases: Record<string, [value: string, (config: AuthorityConfig) => unknown, unknown]> = {
    LISTEN_ADDR: ["127.0.0.1:1234", (c) => c.listen, {
      kind: "tcp",
      hostname: "127.0.0.1",
      port: 1234,
    }],
    POLICY_DIR: ["p", (c) => c.policyDir, "/etc/firma/p"],
    ISSUANCE_POLICY_DIR: ["/i", (c) => c.issuancePolicyDir, "/i"],
    MAPPING_RULES_PATHS: ["a.toml:/b.toml", (c) => c.mappingRulesPaths, [
      "/etc/firma/a.toml",
      "/b.toml",
    ]],
    REVOCATION_FILE: ["/r", (c) => c.revocationFile, "/r"],
    MAX_TTL: ["1m", (c) => c.maxTtlMs, 60_000],
    BUNDLE_TTL: ["2s", (c) => c.bundleTtlMs, 2_000],
    KEY_FILE: ["/k", (c) => c.keyFile, "/k"],
    TLS_CERT_PATH: ["/c", (c) => c.tlsCertPath, "/c"],
    TLS_KEY_PATH: ["/tk", (c) => c.tlsKeyPath, "/tk"],
    MTLS_CLIENT_CA_CERT_PATH: ["/ca", (c) => c.clientCaCertPath, "/ca"],
    MTLS_CLIENT_CA_KEY_PATH: ["/cak", (c) => c.clientCaKeyPath, "/cak"],
    AUTHORIZED_CLIENTS_PATH: ["/l", (c) => c.authorizedClientsPath, "/l"],
    PRE_SHARED_KEYS_PATH: ["/psk", (c) => c.preSharedKeysPath, "/psk"],
    AUDIT_COLLECT: ["false", (c) => c.collect, undefined],
    AUDIT_DIRECTORY: ["/d", (c) => c.collect?.directory, "/d"],
    AUDIT_WITNESS_KEY_FILE: ["w", (c) => c.collect?.witnessKeyFile, "/etc/firma/w"],
    STORE_KIND: ["postgres", (c) => c.store.kind, "postgres"],
  };
  const postgres = (c: AuthorityConfig) => c.store.kind === "postgres" ? c.store : undefined;
  const ofStore: typeof cases = {
    STORE_URL: ["postgres://h/d", (c) => postgres(c)?.url, {
      from: "config",
      text: "postgres://h/d",
    }],
    STORE_URL_FILE: ["u", (c) => postgres(c)?.url, { from: "file", path: "/etc/firma/u" }],
    STORE_SCHEMA: ["eu", (c) => postgres(c)?.schema, "eu"],
  };
  const ofIdentity: typeof cases = {
    IDENTITY_ISSUER: ["https://b.test/", (c) => c.identity?.issuer, "https://b.test"],
    IDENTITY_AUDIENCES: ["a:b", (c) => c.identity?.audiences, ["a", "b"]],
    IDENTITY_KEY_FILE: ["/k.json", (c) => c.identity?.keyFile, "/k.json"],
    IDENTITY_LISTEN_ADDR: ["127.0.0.1:1", (c) => c.identityListen, {
      kind: "tcp",
      hostname: "127.0.0.1",
      port: 1,
    }],
  };
  const ISSUER = '[authority.identity]\nissuer = "https://a.test"\n' +
    "[authority.audit]\ncollect = true\n";
  const names = placedKeys(AUTHORITY).map(({ name }) => name.replace(".", "_").toUpperCase());
  assert.deepEqual(names.sort(), Object.keys({ ...cases, ...ofStore, ...ofIdentity }).sort());
  for (
    const [name, [value, read, expected]] of Object.entries({ ...cases, ...ofStore, ...ofIdentity })
  ) {
    await t.step(name, () => {
      const kind = Object.hasOwn(ofStore, name) ? '[authority.store]\nkind = "postgres"\n' : ISSUER;
      const parsed = parse(FILE + kind, { [`FIRMA_AUTHORITY_${name}`]: value });
      if (!parsed.ok) assert.fail(JSON.stringify(parsed.error));
      assert.deepEqual(read(parsed.value), expected);
    });
  }
});

Deno.test("parseAuthorityConfig() blames variables for what is wrong with them", async (t) => {
  const cases: Record<string, [file: string, env: Record<string, string>, RegExp, string]> = {
    "a word that is none": ["", { STORE_KIND: "redis" }, /store.kind.*"redis"/, "STORE_KIND"],
    "a key that is none": ["", { MAX_TTLS: "1m" }, /"authority.max_ttls".*no such key/, "MAX_TTLS"],
    "a table": ["", { STORE: "postgres" }, /"authority.store".*not a table/, "STORE"],
    "a member of a list": [
      "",
      { MAPPING_RULES_PATHS: "a::b" },
      /"authority.mapping_rules_paths\[1\]".*empty/,
      "MAPPING_RULES_PATHS",
    ],
    "what the file says otherwise": [
      '[authority.store]\nkind = "postgres"\nurl = "postgres://h/d"\n',
      { STORE_URL_FILE: "u" },
      /url as well/,
      "STORE_URL_FILE",
    ],
  };
  for (const [name, [file, variables, message, variable]] of Object.entries(cases)) {
    await t.step(name, () => {
      const env = Object.fromEntries(
        Object.entries(variables).map(([key, value]) => [`FIRMA_AUTHORITY_${key}`, value]),
      );
      const [fault] = faults(`[authority]\n${file}`, env);
      assert.match(fault?.message ?? "none", message);
      assert.equal(fault!.cure, `change or unset FIRMA_AUTHORITY_${variable}`);
      assert.equal(fault!.at, undefined, "the file is not at fault");
    });
  }
  const [fault] = faults("authority = 1\n", { FIRMA_AUTHORITY_MAX_TTL: "1m" });
  assert.match(fault!.message, /"authority": it is not a table/, "the file is");
});

Deno.test("parseAuthorityConfig() names every fault with its place", async (t) => {
  const cases: Record<string, [string, RegExp]> = {
    "an unknown key": ["[authority]\npolicy_dirs = 'x'\n", /"authority.policy_dirs".*no such key/],
    "an unknown table": ["[authorities]\n", /"authorities".*no such key/],
    "an address without a port": ["[authority]\nlisten_addr = 'localhost'\n", /neither an address/],
    "a relative socket": ["[authority]\nlisten_addr = 'unix://x.sock'\n", /not a socket/],
    "no time": ["[authority]\nbundle_ttl = '0s'\n", /no time at all/],
    "what it has of a Sidecar": ["[authority]\n[sidecar.mapping]\nrules = 1\n", /sidecar/],
    "another store": ["[authority.store]\nkind = 'redis'\n", /"redis" is neither "files" nor/],
    "a URL for files": [
      "[authority.store]\nurl_file = 'u'\n",
      /"authority.store.url_file".*no URL/,
    ],
    "two URLs": [
      "[authority.store]\nkind = 'postgres'\nurl = 'postgres://h/d'\nurl_file = 'u'\n",
      /there is a url as well/,
    ],
    "a schema that would have to be quoted": [
      "[authority.store]\nkind = 'postgres'\nschema = 'x\"; DROP TABLE agents; --'\n",
      /"authority.store.schema": .* is not at most 50/,
    ],
    "no table": ["authority = 1\n", /not a table/],
  };
  for (const [name, [text, expected]] of Object.entries(cases)) {
    await t.step(name, () => {
      const found = faults(text);
      assert.match(found[0]?.message ?? "none", expected);
      assert.ok(found[0]!.at!.line! >= 1);
    });
  }
});

Deno.test("parseListenAddress() takes sockets and addresses and nothing else", () => {
  const good = ["unix:///run/a.sock", "127.0.0.1:0", "[::1]:9443", "authority.test:443"];
  for (const text of good) assert.ok(parseListenAddress(text).ok, text);
  const bad = ["", "unix:/a", "unix://a", "9443", "a:99999", "::1:9443", "http://a:1", "a b:1"];
  for (const text of bad) assert.ok(!parseListenAddress(text).ok, text);
});

Deno.test("parseAuthorityConfig() says where the URL of the database is found", () => {
  const store = (text: string) => {
    const parsed = parse(`[authority.store]\nkind = "postgres"\n${text}`);
    return parsed.ok ? parsed.value.store : parsed.error;
  };
  assert.deepEqual(store('url = "postgres:///firma?host=/run/postgresql"'), {
    kind: "postgres",
    url: { from: "config", text: "postgres:///firma?host=/run/postgresql" },
    schema: "firma",
  });
  assert.deepEqual(store('url_file = "database.url"\nschema = "second"'), {
    kind: "postgres",
    url: { from: "file", path: "/etc/firma/database.url" },
    schema: "second",
  });
  assert.deepEqual(store(""), { kind: "postgres", url: { from: "environment" }, schema: "firma" });
  const parsed = parse("[authority]\n");
  assert.deepEqual(parsed.ok && parsed.value.store, { kind: "files" });
});

Deno.test("parseAuthorityConfig() takes no password of a database, and repeats none", () => {
  for (
    const url of [
      "postgres://firma:hunter2@db.example.test/firma",
      "postgres://:hunter2@db.example.test/firma",
      "postgres://db.example.test/firma?user=firma&password=hunter2",
      "postgres://db.example.test/firma?PASSWORD=hunter2",
    ]
  ) {
    const found = faults(`[authority.store]\nkind = "postgres"\nurl = "${url}"\n`);
    assert.match(found[0]!.message, /there is a password in it/, url);
    assert.doesNotMatch(JSON.stringify(found), /hunter2/);
  }
});
