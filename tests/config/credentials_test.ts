import assert from "node:assert/strict";
import { CREDENTIAL_KINDS } from "../../src/config/keys/credentials/kinds.ts";
import { reachOf } from "../../src/config/keys/credentials/reach.ts";
import { parseConfig } from "../../src/config/schema.ts";

const FILE = "/home/ada/app/.firma/firma.toml";
const DEFAULTS = { projectDataDir: "/data/p", auditFile: "/data/a", authorityKey: "/data/k" };
const AGENT = '[sidecar.authority]\nagent_id = "agt_00000000000000000000000000"\n';

function parse(text: string) {
  return parseConfig(`${AGENT}${text}`, FILE, DEFAULTS);
}

function credentials(text: string) {
  const parsed = parse(text);
  if (!parsed.ok) assert.fail(JSON.stringify(parsed.error));
  return parsed.value.sidecar.credentials;
}

function faults(text: string): string[] {
  const parsed = parse(text);
  assert.ok(!parsed.ok, text);
  return parsed.error.map(({ message, cure }) => cure ? `${message} (${cure})` : message);
}

/** A credential from a variable, with more lines. */
const one = (label: string, lines = "", host = "api.a.test") =>
  `[sidecar.credentials.${label}]\nprovider = "environment"\nvariable = "KEY"\n` +
  `hosts = ["${host}"]\n${lines}\n`;

Deno.test("parseConfig() reads credentials with their kinds, in the order of the file", () => {
  const [key, work] = credentials(`
[sidecar.credentials.zeta]
provider = "file"
path = "token"
hosts = ["API.A.test", "b.test:8443"]
basic_user = "x-access-token"
[sidecar.credentials.alpha]
provider = "command"
command = ["/usr/bin/op", "read", "op://Private/token"]
env_passthrough = ["OP_SERVICE_ACCOUNT_TOKEN", "LANG"]
hosts = ["c.test"]
header = "X-Api-Key"
`);
  assert.deepEqual(key, {
    label: "zeta",
    hosts: [{ host: "api.a.test", port: 443 }, { host: "b.test", port: 8443 }],
    paths: [],
    actionClasses: [],
    form: { header: "authorization", prefix: "", basicUser: "x-access-token" },
    agentVariables: [],
    placeholder: undefined,
    refreshMs: 300_000,
    timeoutMs: 10_000,
    source: { kind: "file", settings: { path: "/home/ada/app/.firma/token" } },
  });
  assert.deepEqual(work!.form, { header: "x-api-key", prefix: "", basicUser: undefined });
  assert.deepEqual(reachOf(key!).read, ["/home/ada/app/.firma/token"]);
  assert.deepEqual(reachOf(work!).run, ["/usr/bin/op"]);
  assert.deepEqual(reachOf(work!).secretEnv, ["OP_SERVICE_ACCOUNT_TOKEN"]);
});

Deno.test("parseConfig() sends a secret as a bearer token unless it is told otherwise", () => {
  assert.equal(credentials(one("a"))[0]!.form.prefix, "Bearer ");
  assert.equal(credentials(one("a", 'header = "x-api-key"'))[0]!.form.prefix, "");
  assert.equal(credentials(one("a", 'prefix = ""'))[0]!.form.prefix, "");
});

Deno.test("parseConfig() refuses a credential that could go to more hosts than it names", () => {
  for (const host of ["*", "*.a.test", "https://a.test", "a.test/x", "a.test:0", "a.test:99999"]) {
    assert.match(faults(one("a", "", host))[0]!, /is not the name of one host/, host);
  }
  const none = `[sidecar.credentials.a]\nprovider = "file"\npath = "t"\nhosts = []\n`;
  assert.match(faults(none)[0]!, /it names no host/);
});

Deno.test("parseConfig() refuses headers that say where a message goes or ends", () => {
  for (const name of ["Host", "Content-Length", "Transfer-Encoding", "Upgrade", "a b", "x:y"]) {
    assert.match(faults(one("a", `header = "${name}"`))[0]!, /is not a header that can hold/, name);
  }
  assert.match(faults(one("a", 'prefix = "a\\r\\nX-Evil: "'))[0]!, /printable characters/);
});

Deno.test("parseConfig() refuses a key of another kind, and says whose it is", () => {
  const [message] = faults(one("a", 'path = "t"'));
  assert.match(message!, /there is no such key \(it belongs to provider = "file"/);
});

Deno.test("parseConfig() refuses a helper that PATH would find", () => {
  const text =
    `[sidecar.credentials.a]\nprovider = "command"\ncommand = ["op"]\nhosts = ["a.test"]`;
  assert.match(faults(text)[0]!, /"op" is not the absolute path.*command -v op prints it/);
});

Deno.test("parseConfig() refuses two credentials that match the same call", () => {
  const both = (a: string, b: string, host?: string) => one("a", a) + one("b", b, host);
  const clashing: [string, string][] = [
    ["", ""],
    ['paths = ["/v1"]', ""],
    ['paths = ["/v1"]', 'paths = ["/v1/models"]'],
    ['action_classes = ["code.read"]', ""],
    ['action_classes = ["code.read"]', 'action_classes = ["code.read", "code.write"]'],
    // A finer class is within its parent.
    ['action_classes = ["code.read"]', 'action_classes = ["ci.read"]'],
    ['paths = ["/a"]\naction_classes = ["code.read"]', 'paths = ["/a"]'],
  ];
  for (const [a, b] of clashing) {
    assert.match(faults(both(a, b))[0]!, /"a" is for some of the same calls/, `${a} | ${b}`);
  }
  const apart: [string, string, string?][] = [
    ["", "", "api.b.test"],
    ["", "", "api.a.test:8443"],
    ['paths = ["/v1"]', 'paths = ["/v10"]'],
    ['action_classes = ["code.read"]', 'action_classes = ["code.write"]'],
  ];
  for (const [a, b, host] of apart) assert.equal(credentials(both(a, b, host)).length, 2);
});

Deno.test("parseConfig() refuses a credential for a host whose TLS is not opened", () => {
  const bypass = (host: string) => `[sidecar.interceptor.https_mitm]\nbypass_hosts = ["${host}"]\n`;
  assert.match(faults(one("a") + bypass("*.a.test"))[0]!, /TLS of "api.a.test" is not opened/);
  assert.match(faults(one("a") + bypass("api.a.test"))[0]!, /TLS of "api.a.test" is not opened/);
  assert.equal(credentials(one("a") + bypass("b.test")).length, 1);
});

Deno.test("parseConfig() refuses to hand an agent a variable that a credential is in", () => {
  assert.match(
    faults(`${one("a")}[run]\nenv_passthrough = ["KEY"]\n`)[0]!,
    /the agent would see a secret of the credential "a" in "KEY"/,
  );
  const profile = `${one("a")}[run.profiles.x]\nenv_passthrough = ["KEY"]\n`;
  assert.match(faults(profile)[0]!, /the agent would see a secret/);
});

Deno.test("parseConfig() refuses a class that there is not, and takes one of the operator's own", () => {
  const text = one("a", 'action_classes = ["deploy.now"]');
  assert.match(faults(text)[0]!, /"deploy.now" is no action class/);
  const own = '[[action_classes]]\nname = "deploy.now"\nparent = "code.write"\n';
  assert.equal(credentials(own + text).length, 1);
  const parent = one("b", 'action_classes = ["code.write"]');
  assert.match(faults(own + text + parent)[0]!, /same calls/);
});

Deno.test("kinds that share a key describe it once", () => {
  const described = new Map<string, unknown>();
  for (const { section } of Object.values(CREDENTIAL_KINDS)) {
    for (const [name, node] of Object.entries(section.keys)) {
      assert.equal(described.get(name) ?? node, node, name);
      described.set(name, node);
    }
  }
});

Deno.test("parseConfig() reads which variables hold placeholders, each of one credential", () => {
  const first = one("a", 'env = ["GH_TOKEN", "GITHUB_TOKEN"]\nplaceholder = "jwt"');
  const [credential] = credentials(first);
  assert.deepEqual(credential?.agentVariables, ["GH_TOKEN", "GITHUB_TOKEN"]);
  assert.equal(credential?.placeholder, "jwt");
  const [fault] = faults(first + one("b", 'env = ["GITHUB_TOKEN"]', "api.b.test"));
  assert.match(fault!, /"GITHUB_TOKEN" holds the placeholder of another credential/);
});
