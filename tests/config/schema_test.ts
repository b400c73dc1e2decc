import assert from "node:assert/strict";
import fc from "fast-check";
import { newId } from "../../src/core/id.ts";
import { parseConfig } from "../../src/config/schema.ts";

const AGENT = newId("agt");
const MINIMAL = `[sidecar.authority]\nagent_id = "${AGENT}"\n`;
const DEFAULTS = {
  projectDataDir: "/data/projects/p",
  auditFile: "/data/audit/audit.jsonl",
  authorityKey: "/data/keys/authority.key",
};

function parse(text: string) {
  return parseConfig(text, "/home/ada/app/.firma/firma.toml", DEFAULTS);
}

function faults(text: string): string[] {
  const result = parse(text);
  assert.equal(result.ok, false, text);
  return result.ok
    ? []
    : result.error.map(({ message, cure, at }) =>
      `${at?.line}:${at?.column} ${message}${cure ? ` (${cure})` : ""}`
    );
}

Deno.test("parseConfig() fills in every default", () => {
  const result = parse(MINIMAL);
  assert.deepEqual(result, {
    ok: true,
    value: {
      file: "/home/ada/app/.firma/firma.toml",
      directory: "/home/ada/app/.firma",
      actionClasses: [],
      authority: {
        policyDir: "/home/ada/app/.firma/policies",
        issuancePolicyDir: "/home/ada/app/.firma/issuance-policies",
        revocationFile: "/data/projects/p/revocations.txt",
        maxTtlMs: 3_600_000,
        bundleTtlMs: 30_000,
        identity: undefined,
        keyFile: "/data/keys/authority.key",
        listens: false,
        otherFiles: [],
      },
      sidecar: {
        mode: "enforce",
        authority: { agentId: AGENT, remote: undefined },
        capabilityValidation: { clockSkewToleranceMs: 0 },
        localExec: { rulesPaths: [], defaultAction: "allow", allowedExecutables: undefined },
        mapping: { rulesPaths: [], defaultProtected: true },
        credentials: [],
        httpSecretProviders: [],
        cliSecretProviders: [],
        interceptor: {
          mode: "unix_socket",
          listenAddr: { hostname: "127.0.0.1", port: 8080 },
          maxRequestBodySize: 4_194_304,
          maxDecompressedBodySize: 16_777_216,
          httpsMitm: { bypassHosts: [] },
        },
        connector: {
          connectTimeoutMs: 10_000,
          headersTimeoutMs: 120_000,
          idleTimeoutMs: 300_000,
          hosts: [],
        },
        approvals: {
          hitlMode: "async_token",
          hitlMaxWaitMs: 300_000,
          pendingTtlMs: 3_600_000,
          tokenTtlMs: 300_000,
          retryAfterMs: 500,
          maxPending: 100,
          desktopNotification: false,
          webhookUrl: undefined,
        },
        audit: {
          filePath: "/data/audit/audit.jsonl",
          durability: "queued",
          redactQueryParams: [],
          signingKeyPath: undefined,
          signingKeyEnv: undefined,
          rotation: { maxBytes: 100 * 1024 * 1024 },
          packing: "plain",
          retention: {},
          shipping: { kinds: [], required: [], maxLag: 10_000, otlp: undefined },
        },
      },
      run: {
        localExec: { gate: "auto", timeoutMs: 10_000 },
        deleteWatch: {
          enabled: undefined,
          exclude: ["node_modules"],
          maxFileSize: 2 ** 30,
          maxTotalSize: 10 * 2 ** 30,
          keep: 10,
          keepMs: 14 * 86_400_000,
        },
        profile: undefined,
        envPassthrough: [],
        limits: { processes: 4096 },
        seccomp: { deny: [], policyPath: undefined },
        profiles: {},
      },
    },
  });
});

Deno.test("parseConfig() reads every key", () => {
  const result = parse(`${MINIMAL}
[authority]
policy_dir = "p"
issuance_policy_dir = "/abs/i"
revocation_file = "gone.txt"
max_ttl = "15m"
bundle_ttl = "5s"
key_file = "own.key"
tls_key_path = "server.key"
[sidecar.capability_validation]
clock_skew_tolerance = "2s"
[sidecar.mapping]
rules_paths = ["mappings/npm.toml", "../common.toml"]
default_protected = false
[sidecar.interceptor]
mode = "http_proxy"
listen_addr = "[::1]:3128"
max_request_body_size = "1 MiB"
max_decompressed_body_size = "2 MiB"
https_mitm.bypass_hosts = ["Pinned.Example.Test.", "*.example.test"]
[sidecar.connector]
connect_timeout = "1s"
headers_timeout = "2s"
idle_timeout = "3s"
[[sidecar.connector.hosts]]
host = "Git.Test"
connect_addr = "127.0.0.1:8443"
ca_cert_path = "ca.pem"
[[sidecar.connector.hosts]]
host = "v6.test"
connect_addr = "[::1]:443"
[sidecar.audit]
file_path = "/var/log/firma.jsonl"
[run]
profile = "codex"
env_passthrough = ["LANG"]

[run.sidecar_local_exec]
gate = "off"
timeout = "3s"

[run.delete_watch]
enabled = true
exclude = ["target"]
max_file_size = "1 MiB"
max_total_size = "2 MiB"
keep = 3
keep_for = "2d"

[run.seccomp]
deny = ["mknodat"]
policy = "seccomp.toml"
`);
  assert.ok(result.ok);
  const { authority, sidecar, run } = result.value;
  assert.equal(authority.policyDir, "/home/ada/app/.firma/p");
  assert.equal(authority.issuancePolicyDir, "/abs/i");
  assert.equal(authority.revocationFile, "/data/projects/p/gone.txt");
  assert.equal(authority.maxTtlMs, 900_000);
  assert.equal(authority.keyFile, "/home/ada/app/.firma/own.key");
  const server = { key: "tls_key_path", path: "/home/ada/app/.firma/server.key" };
  assert.deepEqual(authority.otherFiles, [server]);
  assert.equal(sidecar.capabilityValidation.clockSkewToleranceMs, 2_000);
  assert.deepEqual(sidecar.mapping, {
    rulesPaths: ["/home/ada/app/.firma/mappings/npm.toml", "/home/ada/app/common.toml"],
    defaultProtected: false,
  });
  assert.deepEqual(sidecar.interceptor, {
    mode: "http_proxy",
    listenAddr: { hostname: "::1", port: 3128 },
    maxRequestBodySize: 1_048_576,
    maxDecompressedBodySize: 2_097_152,
    httpsMitm: { bypassHosts: ["pinned.example.test", "*.example.test"] },
  });
  assert.deepEqual(sidecar.connector.hosts, [
    {
      host: "git.test",
      connectAddr: { hostname: "127.0.0.1", port: 8443 },
      caCertPath: "/home/ada/app/.firma/ca.pem",
    },
    { host: "v6.test", connectAddr: { hostname: "::1", port: 443 }, caCertPath: undefined },
  ]);
  assert.equal(sidecar.audit.filePath, "/var/log/firma.jsonl");
  assert.deepEqual(run, {
    localExec: { gate: "off", timeoutMs: 3_000 },
    deleteWatch: {
      enabled: true,
      exclude: ["target"],
      maxFileSize: 2 ** 20,
      maxTotalSize: 2 * 2 ** 20,
      keep: 3,
      keepMs: 2 * 86_400_000,
    },
    profile: "codex",
    envPassthrough: ["LANG"],
    limits: { processes: 4096 },
    seccomp: { deny: ["mknodat"], policyPath: "/home/ada/app/.firma/seccomp.toml" },
    profiles: {},
  });
});

Deno.test("parseConfig() opens nothing outside of the home to a profile", () => {
  for (const path of ["/etc", "..", "../other", ".config/../..", "~", "", "."]) {
    const text = `${MINIMAL}[run.profiles.mine]\nhome_write = [${JSON.stringify(path)}]\n`;
    assert.equal(faults(text).length, 1, path);
  }
  assert.ok(parse(`${MINIMAL}[run.profiles.mine]\nhome_write = [".config/mine"]\n`).ok);
});

Deno.test("parseConfig() names an unknown key, its place and the nearest known key", () => {
  assert.deepEqual(faults(`${MINIMAL}[authority]\n\n  polcy_dir = "x"\n`), [
    `5:3 Cannot use "authority.polcy_dir": there is no such key (did you mean "policy_dir"?)`,
  ]);
  assert.deepEqual(faults(`${MINIMAL}[sidecar.connector]\nhosts = [{ hots = "a.test" }]\n`), [
    `4:12 Cannot use "sidecar.connector.hosts[0].hots": there is no such key (did you mean "host"?)`,
    `4:10 Cannot use "sidecar.connector.hosts[0].host": it is missing`,
  ]);
  assert.deepEqual(
    faults(`${MINIMAL}[[sidecar.connector.hosts]]\nhost = "a"\nconect_adr = "b"\n`),
    [
      `5:1 Cannot use "sidecar.connector.hosts[0].conect_adr": there is no such key ` +
      `(did you mean "connect_addr"?)`,
    ],
  );
  assert.deepEqual(faults(`${MINIMAL}[budget]\nlimit = 1\n`), [
    `3:1 Cannot use "budget": there is no such key (known here: action_classes, authority, sidecar, run)`,
  ]);
});

Deno.test("parseConfig() reports all faults at once", () => {
  assert.deepEqual(
    faults(`[authority]
max_ttl = "soon"
bundle_ttl = 30
[sidecar]
mapping = "x"
[run]
env_passthrough = ["A=B"]
`),
    [
      `2:1 Cannot use "authority.max_ttl": "soon" is not a duration such as "250ms", "30s" or "1h30m"`,
      `3:1 Cannot use "authority.bundle_ttl": it is not a string`,
      `4:1 Cannot use "sidecar.authority.agent_id": it is missing`,
      `5:1 Cannot use "sidecar.mapping": it is not a table`,
      `7:20 Cannot use "run.env_passthrough[0]": "A=B" is not the name of an environment variable`,
    ],
  );
});

Deno.test("parseConfig() says where the syntax breaks", () => {
  const [fault] = faults("[authority]\npolicy_dir = \n");
  assert.match(fault!, /^2:\d+ Cannot parse "\/home\/ada\/app\/\.firma\/firma\.toml": /);
});

Deno.test("parseConfig() refuses values that would widen the boundary by accident", () => {
  const table: Record<string, string> = {
    "wildcard host": `[[sidecar.connector.hosts]]\nhost = "*.test"\n`,
    "host with a port": `[[sidecar.connector.hosts]]\nhost = "a.test:443"\n`,
    "host with a path": `[[sidecar.connector.hosts]]\nhost = "a.test/x"\n`,
    "same host twice":
      `[[sidecar.connector.hosts]]\nhost = "a.test"\n[[sidecar.connector.hosts]]\nhost = "A.test."\n`,
    "address without port":
      `[[sidecar.connector.hosts]]\nhost = "a.test"\nconnect_addr = "127.0.0.1"\n`,
    "port out of range":
      `[[sidecar.connector.hosts]]\nhost = "a.test"\nconnect_addr = "127.0.0.1:70000"\n`,
    "bypass of everything": `[sidecar.interceptor.https_mitm]\nbypass_hosts = ["*"]\n`,
    "bypass of a top-level domain": `[sidecar.interceptor.https_mitm]\nbypass_hosts = ["*.com"]\n`,
    "wildcard inside": `[sidecar.interceptor.https_mitm]\nbypass_hosts = ["a.*.test"]\n`,
    "relative audit log": `[sidecar.audit]\nfile_path = "audit.jsonl"\n`,
    "no time at all": `[sidecar.connector]\nconnect_timeout = "0s"\n`,
    "a proxy for the network": `[sidecar.interceptor]\nlisten_addr = "0.0.0.0:8080"\n`,
    "a proxy for the network, unused":
      `[sidecar.interceptor]\nmode = "unix_socket"\nlisten_addr = "[::]:8080"\n`,
    "a proxy on a name": `[sidecar.interceptor]\nlisten_addr = "localhost:8080"\n`,
    "a proxy on no address": `[sidecar.interceptor]\nlisten_addr = "127.0.0.256:8080"\n`,
    "a proxy on no port": `[sidecar.interceptor]\nlisten_addr = "127.0.0.1:70000"\n`,
    "an interceptor that there is not": `[sidecar.interceptor]\nmode = "grpc"\n`,
    "a mode that there is not": `[sidecar]\nmode = "off"\n`,
    "no body at all": `[sidecar.interceptor]\nmax_request_body_size = "0 B"\n`,
    "NUL in a path": `[authority]\npolicy_dir = "a\\u0000b"\n`,
    "empty path": `[authority]\npolicy_dir = ""\n`,
  };
  for (const [name, text] of Object.entries(table)) {
    assert.equal(parse(MINIMAL + text).ok, false, name);
  }
});

Deno.test("parseConfig() refuses agent ids of any other form", () => {
  for (const id of ["", "agt_", "agent", AGENT.replace("agt", "ses"), `${AGENT}0`]) {
    assert.equal(parse(`[sidecar.authority]\nagent_id = "${id}"\n`).ok, false, id);
  }
});

Deno.test("parseConfig() does not take inherited names for keys", () => {
  for (const name of ["__proto__", "constructor", "toString"]) {
    assert.equal(parse(`${MINIMAL}[authority]\n${name} = 1\n`).ok, false, name);
    assert.equal(parse(`${MINIMAL}[${name}]\nx = 1\n`).ok, false, name);
  }
});

Deno.test("parseConfig() never throws", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    parse(text);
    parse(MINIMAL + text);
  }));
});
