import assert from "node:assert/strict";
import { join } from "node:path";
import { authorityCheck } from "../../../src/doctor/checks/authority.ts";
import { certificatesCheck } from "../../../src/doctor/checks/certificates.ts";
import { parsedCheck, trustedCheck } from "../../../src/doctor/checks/configuration.ts";
import { mappingsCheck } from "../../../src/doctor/checks/mappings.ts";
import { namesCheck } from "../../../src/doctor/checks/names.ts";
import { policiesCheck } from "../../../src/doctor/checks/policies.ts";
import { unmappedCheck } from "../../../src/doctor/checks/unmapped.ts";
import type { Check } from "../../../src/doctor/check.ts";
import { readConfigFile } from "../../../src/config/load.ts";
import { recordTrust } from "../../../src/config/trust.ts";
import { unwrap } from "../../../src/core/result.ts";
import { createAuthority, issueCertificate } from "../../../src/pki/certificate_authority.ts";
import { withExtraHosts } from "../../../src/config/setup/extra_hosts.ts";
import { sampleDecision } from "../../audit/sample.ts";
import { found, Place, statuses } from "../support.ts";

const OF_PROJECTS: readonly Check[] = [
  authorityCheck,
  certificatesCheck,
  mappingsCheck,
  namesCheck,
  parsedCheck,
  policiesCheck,
  trustedCheck,
  unmappedCheck,
];

Deno.test("checks of a project are content without one", async () => {
  using place = new Place();
  for (const check of OF_PROJECTS) {
    assert.deepEqual(await statuses(check, place.world()), ["ok"], check.category);
  }
});

Deno.test("checks of a project are content with a sound one", async () => {
  using place = new Place();
  place.configure();
  const world = place.world({ lookup: () => Promise.resolve(["192.0.2.1"]) });
  for (const check of OF_PROJECTS) {
    assert.deepEqual(new Set(await statuses(check, world)), new Set(["ok"]), check.category);
  }
});

Deno.test("parsedCheck() opens the file at the line that is wrong", async () => {
  using place = new Place();
  place.configure({ more: "unknown_key = 1" });
  const [finding] = await found(parsedCheck, place.world());
  assert.equal(finding!.status, "fail");
  const file = Deno.realPathSync(place.path(".firma/firma.toml"));
  assert.equal(finding!.cure, `\${EDITOR:-vi} +6 ${file}`);
  assert.deepEqual(await statuses(trustedCheck, place.world()), ["ok"]); // said once
});

Deno.test("trustedCheck() says how to trust, and who else can change things", async () => {
  using place = new Place();
  place.configure({ trusted: false });
  const file = Deno.realPathSync(place.path(".firma/firma.toml"));
  const [finding] = await found(trustedCheck, place.world());
  assert.deepEqual([finding!.status, finding!.cure], ["warn", `firma trust ${file}`]);
  place.configure();
  Deno.chmodSync(place.path(".firma/policies"), 0o777);
  const [, flaw] = await found(trustedCheck, place.world());
  assert.match(flaw!.reason, /everybody on this machine can write/);
});

Deno.test("policiesCheck() and mappingsCheck() name what is wrong, and where", async () => {
  using place = new Place();
  place.configure();
  place.write(".firma/policies/own.cedar", "permit(principal, action, resource)\n");
  const [policy] = await found(policiesCheck, place.world());
  assert.equal(policy!.status, "fail");
  assert.match(policy!.detail!, /policies:own\.cedar:\d+/);
  assert.match(policy!.cure!, /^firma policy validate .*\/policies$/);

  place.write(
    ".firma/policies/own.cedar",
    'permit(principal, action == Firma::Action::"x", resource);',
  );
  assert.equal((await found(policiesCheck, place.world()))[0]!.status, "fail");

  place.write(".firma/mappings/own.toml", '[[rules]]\nhost = "a.test"\naction_class = "no.such"\n');
  const [mapping] = await found(mappingsCheck, place.world());
  assert.equal(mapping!.status, "fail");
  assert.match(mapping!.cure!, /^firma policy validate .*own\.toml$/);
  Deno.removeSync(place.path(".firma/mappings/own.toml"));
  assert.ok((await statuses(mappingsCheck, place.world())).includes("fail"));
});

Deno.test("namesCheck() warns of mapped hosts that do not resolve, and asks for no others", async () => {
  using place = new Place();
  place.configure({
    more: '[[sidecar.connector.hosts]]\nhost = "placed.test"\nconnect_addr = "127.0.0.1:1"\n',
  });
  const rule = (host: string) =>
    `[[rules]]\nhost = "${host}"\npath = "/**"\naction_class = "code.read"\n`;
  place.write(
    ".firma/mappings/own.toml",
    ["a.test", "b.test:8443", "*.wild.test", "placed.test"].map(rule).join("\n"),
  );
  const asked: string[] = [];
  const world = place.world({
    lookup(host) {
      asked.push(host);
      return host === "a.test" ? Promise.resolve(["192.0.2.1"]) : Promise.reject(new Error("no"));
    },
  });
  const [finding] = await found(namesCheck, world);
  assert.deepEqual(asked.sort(), ["a.test", "b.test"]);
  assert.deepEqual([finding!.status, finding!.detail], ["warn", "b.test"]);
});

const REMOTE = (url: string) => `[sidecar.authority]\nurl = "${url}"\n`;

// Attack: a cloned repository makes whoever asks the doctor call on hosts and sockets for it.
Deno.test("checks ask nothing of the network for a project that nobody trusts", async () => {
  using place = new Place();
  const asked: unknown[] = [];
  const world = place.world({
    lookup: (host) => (asked.push(host), Promise.resolve([])),
    knock: (endpoint) => (asked.push(endpoint), Promise.resolve("silent")),
  });
  const write = (trusted: boolean) => {
    place.configure({ trusted });
    const text = Deno.readTextFileSync(place.path(".firma/firma.toml"))
      .replace("[sidecar.authority]\n", REMOTE("unix:///tmp/other.sock"));
    place.write(".firma/firma.toml", text);
  };
  write(false);
  for (const check of OF_PROJECTS) await check.run(world);
  assert.deepEqual(asked, []);

  // The same project, trusted.
  write(true);
  trust(place);
  await authorityCheck.run(world);
  assert.deepEqual(asked, [{ transport: "unix", path: "/tmp/other.sock" }]);
});

Deno.test("authorityCheck() fails when the Authority that is named does not answer", async () => {
  using place = new Place();
  place.configure();
  const text = Deno.readTextFileSync(place.path(".firma/firma.toml"))
    .replace("[sidecar.authority]\n", REMOTE("unix:///tmp/other.sock"));
  place.write(".firma/firma.toml", text);
  trust(place);
  assert.deepEqual(await statuses(authorityCheck, place.world()), ["fail"]);
  const up = place.world({ knock: () => Promise.resolve("accepted") });
  assert.deepEqual(await statuses(authorityCheck, up), ["ok"]);
});

Deno.test("authorityCheck() tells whether the Authority of a configuration for one serves", async () => {
  using place = new Place();
  place.configure();
  const listen = (address: string) => {
    place.write(".firma/firma.toml", `[authority]\nlisten_addr = "${address}"\n`);
    trust(place);
  };
  listen("unix:///tmp/other.sock");
  const [down] = await found(authorityCheck, place.world());
  assert.deepEqual([down!.status, down!.cure], ["warn", "firma authority"]);
  const asked: unknown[] = [];
  const up = place.world({ knock: (who) => (asked.push(who), Promise.resolve("accepted")) });
  assert.deepEqual(await statuses(authorityCheck, up), ["ok"]);
  for (const address of ["0.0.0.0:9443", "[::1]:9443"]) {
    listen(address);
    assert.deepEqual(await statuses(authorityCheck, up), ["ok"]);
  }
  assert.deepEqual(asked, [
    { transport: "unix", path: "/tmp/other.sock" },
    { transport: "tcp", hostname: "localhost", port: 9443 },
    { transport: "tcp", hostname: "::1", port: 9443 },
  ]);
});

Deno.test("authorityCheck() knocks where the Authority is to be dialled", async () => {
  using place = new Place();
  place.configure();
  const remote = `${REMOTE("https://authority.test")}connect_addr = "10.0.0.5:9443"
tls_client_cert_path = "c.crt"
tls_client_key_path = "c.key"
public_key_path = "a.pub"
`;
  const text = Deno.readTextFileSync(place.path(".firma/firma.toml"))
    .replace("[sidecar.authority]\n", remote);
  place.write(".firma/firma.toml", text);
  trust(place);
  const asked: unknown[] = [];
  const knock = (endpoint: unknown) => {
    asked.push(endpoint);
    return Promise.resolve("accepted" as const);
  };
  assert.deepEqual(await statuses(authorityCheck, place.world({ knock })), ["ok"]);
  assert.deepEqual(asked, [{ transport: "tcp", hostname: "10.0.0.5", port: 9443 }]);
});

const DAY_MS = 24 * 60 * 60 * 1000;

Deno.test("certificatesCheck() names what has expired or soon will, and what makes a new one", async () => {
  using place = new Place();
  const table = async (days: number, nowMs: number) => {
    const ca = unwrap(await createAuthority("Test CA", 3650));
    const leaf = unwrap(
      await issueCertificate(ca, {
        commonName: "authority",
        names: ["authority.test", "127.0.0.1"],
        purpose: "server",
        days,
      }),
    );
    place.write(".firma/tls/server.crt", leaf.certificate);
    place.write(".firma/tls/server.key", leaf.key);
    place.configure({
      more:
        '[authority]\ntls_cert_path = "tls/server.crt"\ntls_key_path = "tls/server.key"\nlisten_addr = "127.0.0.1:1"\n',
    });
    return (await found(certificatesCheck, place.world({ now: () => nowMs })))[0]!;
  };
  const now = Date.now();
  assert.equal((await table(365, now)).status, "ok");
  assert.equal((await table(7, now)).status, "warn");
  const expired = await table(7, now + 8 * DAY_MS);
  assert.equal(expired.status, "fail");
  assert.match(expired.reason, /expired on/);
  const tls = Deno.realPathSync(place.path(".firma/tls"));
  assert.equal(
    expired.cure,
    `firma authority init-tls --out-dir ${tls} --host authority.test --host 127.0.0.1 --force`,
  );
  assert.match((await table(7, now - 30 * DAY_MS)).reason, /which is to come/);
  place.write(".firma/tls/server.crt", "not PEM");
  assert.match((await found(certificatesCheck, place.world()))[0]!.reason, /no certificate in PEM/);
});

Deno.test("certificatesCheck() knows what makes each kind of certificate anew", async () => {
  using place = new Place();
  const old = unwrap(await createAuthority("edge", 30, Date.now() - 60 * DAY_MS)).certificate;
  for (const name of ["ca", "client-ca", "client"]) place.write(`.firma/${name}.crt`, old);
  place.configure({
    more: `[authority]\nmtls_client_ca_cert_path = "client-ca.crt"\n` +
      `mtls_client_ca_key_path = "client-ca.key"\n`,
  });
  const text = Deno.readTextFileSync(place.path(".firma/firma.toml")).replace(
    "[sidecar.authority]\n",
    REMOTE("https://authority.test:9443") + 'public_key_path = "a.pub"\nca_cert_path = "ca.crt"\n' +
      'tls_client_cert_path = "client.crt"\ntls_client_key_path = "client.key"\n',
  );
  place.write(".firma/firma.toml", text);
  trust(place);
  const findings = await found(certificatesCheck, place.world());
  const at = `${Deno.realPathSync(place.directory)}/.firma`;
  assert.deepEqual(findings.map(({ status, cure }) => [status, cure]), [
    [
      "fail",
      `firma authority generate-client-ca --cert-out ${at}/client-ca.crt ` +
      `--key-out ${at}/client-ca.key --force`,
    ],
    [
      "fail",
      `firma authority issue-client-cert --cn edge --cert-out ${at}/client.crt ` +
      `--key-out ${at}/client.key --authorize --force`,
    ],
    ["fail", `openssl x509 -noout -subject -dates -in ${at}/ca.crt`],
  ]);
});

/** Writes what agents were denied into the log of the user. */
function writeDenials(place: Place, resources: readonly string[], agentId: string): void {
  const path = join(place.dataDir, "audit/audit.jsonl");
  Deno.mkdirSync(join(path, ".."), { recursive: true });
  const lines = resources.map((resource) =>
    JSON.stringify(sampleDecision({
      agent_id: agentId,
      decision: "DENY",
      deny_reason: "UnclassifiedIntent",
      resource,
      timestamp: new Date().toISOString(),
    }))
  );
  Deno.writeTextFileSync(path, `${lines.join("\n")}\n`);
}

Deno.test("unmappedCheck() gives the rule that would name a host", async () => {
  using place = new Place();
  place.configure();
  writeDenials(place, ["new.test/a?b", "new.test/c", "mapped.test/x"], place.agentId);
  const findings = await found(unmappedCheck, place.world());
  assert.equal(findings.length, 1);
  assert.match(findings[0]!.reason, /denied new\.test 2 times/);

  assert.equal(findings[0]!.cure, "firma config --yes --extra-hosts new.test");
  place.write(
    ".firma/mappings/own.toml",
    unwrap(
      withExtraHosts(Deno.readTextFileSync(place.path(".firma/mappings/own.toml")), ["new.test"]),
    ),
  );
  assert.deepEqual(await statuses(unmappedCheck, place.world()), ["ok"]);
});

Deno.test("unmappedCheck() leaves out what is old and what other agents did", async () => {
  using place = new Place();
  place.configure();
  writeDenials(place, ["new.test/a"], "agt_01jd0000000000000000000000");
  assert.deepEqual(await statuses(unmappedCheck, place.world()), ["ok"]);
  writeDenials(place, ["new.test/a"], place.agentId);
  const later = place.world({ now: () => Date.now() + 2 * DAY_MS });
  assert.deepEqual(await statuses(unmappedCheck, later), ["ok"]);
  assert.deepEqual(await statuses(unmappedCheck, place.world()), ["warn"]);
});

// Attack: the agent calls hosts whose names do something when the operator pastes the cure.
Deno.test("unmappedCheck() puts nothing into a command but the name of a host", async () => {
  using place = new Place();
  place.configure();
  const names = [
    "$(touch owned)",
    "`touch owned`.test",
    "a.test;touch owned",
    "a.test\ntouch owned",
    "a'.test",
    '"; touch owned; ".test',
    "a.test%s%n",
    "\x1b[201~touch owned.test",
    "-rf.test",
    "a..test",
    "192.0.2.1", // no name, though it looks like one
  ];
  writeDenials(place, names.map((name) => `${name}/`), place.agentId);
  assert.deepEqual(await statuses(unmappedCheck, place.world()), ["ok"]);
  writeDenials(place, [...names, "plain.test/"], place.agentId);
  const findings = await found(unmappedCheck, place.world());
  assert.deepEqual(findings.map(({ reason }) => /denied (\S+)/.exec(reason)?.[1]), ["plain.test"]);
});

function trust(place: Place): void {
  const file = unwrap(readConfigFile(place.path(".firma/firma.toml")));
  unwrap(recordTrust(file, [], "command", place.env));
}
