import assert from "node:assert/strict";
import { parseAuthorityConfig } from "../../src/config/authority_config.ts";
import { CREDENTIAL_KINDS } from "../../src/config/keys/credentials/kinds.ts";
import type { Node } from "../../src/config/key.ts";
import { placedKeys } from "./placed_keys.ts";
import { parseConfig } from "../../src/config/schema.ts";
import { PROFILES } from "../../src/sandbox/profiles.ts";

const FILE = "/home/ada/app/.firma/firma.toml";
const ENV = { XDG_DATA_HOME: "/data", XDG_RUNTIME_DIR: "/run/user/1" };
const DEFAULTS = { projectDataDir: "/data/p", auditFile: "/data/a", authorityKey: "/data/k" };

const KEYS = placedKeys();

const CREDENTIALS = `[sidecar.authority]
agent_id = "agt_00000000000000000000000000"
url = "unix:///a.sock"
[sidecar.authority.credentials]
workspace_id = "w"
sidecar_id = "s"
`;

/** A credential in which `word` has a meaning; required keys have another value than their example. */
function credentialWith(word: string): string {
  const [kind, { section }] =
    Object.entries(CREDENTIAL_KINDS).find(([, each]) => Object.hasOwn(each.section.keys, word)) ??
      ["environment", CREDENTIAL_KINDS.environment];
  const nodes: [string, Node<unknown>][] = Object.entries(section.keys);
  const lines = nodes.flatMap(([name, node]) => {
    if (node.kind !== "key" || !node.isRequired) return [];
    return [`${name} = ${JSON.stringify(another(node.example))}\n`];
  });
  const head = `provider = "${kind}"\nhosts = ["a.test"]\n`;
  return `[sidecar.credentials.example]\n${head}${lines.join("")}`;
}

function another(value: unknown): unknown {
  if (Array.isArray(value)) return [...value, "x"];
  return typeof value === "number" ? value + 1 : `${value}x`;
}

const STORE = `[[sidecar.http_secret_providers]]
provider_id = "a"
host = "a.test"
[[sidecar.http_secret_providers.matchers]]
path = "/a"
`;

const PROGRAM = `[[sidecar.cli_secret_providers]]
provider_id = "a"
preset = "op"
program = "/usr/bin/a"
`;

/** What a key means only beside others: lines of TOML, by the beginning of its name. */
const BESIDE: readonly [prefix: string, text: string][] = [
  ["authority.store.url", '[authority.store]\nkind = "postgres"\n'],
  ["authority.store.schema", '[authority.store]\nkind = "postgres"\n'],
  ["authority.audit.directory", "[authority.audit]\ncollect = true\n"],
  ["authority.audit.witness_key_file", "[authority.audit]\ncollect = true\n"],
  ["sidecar.audit.otlp.", '[sidecar.audit.otlp]\nendpoint = "https://b.test"\n'],
  ["authority.identity.", '[authority.identity]\nissuer = "https://b.test"\n'],
  ["action_classes[].", '[[action_classes]]\nname = "a.b"\nparent = "code.read"\n'],
  ["run.profiles.<id>.", "[run.profiles.example]\n"],
  ["sidecar.http_secret_providers[].matchers[].kind", `${STORE}kind = "blocked"\n`],
  ["sidecar.http_secret_providers[].", `${STORE}kind = "sensitive"\nvalues = ["x"]\n`],
  ["sidecar.cli_secret_providers[].", PROGRAM],
  ["sidecar.connector.hosts[].", '[[sidecar.connector.hosts]]\nhost = "a.test"\n'],
  ["sidecar.authority.credentials.pre_shared_key_env", `${CREDENTIALS}pre_shared_key_env = "K"\n`],
  ["sidecar.authority.credentials.", `${CREDENTIALS}pre_shared_key_path = "k"\n`],
  [
    "sidecar.authority.",
    `[sidecar.authority]
agent_id = "agt_00000000000000000000000000"
url = "https://a.test"
public_key_path = "a.pub"
tls_client_cert_path = "c.crt"
tls_client_key_path = "c.key"
`,
  ],
];

const AGENT = '[sidecar.authority]\nagent_id = "agt_00000000000000000000000000"\n';

/** A file in which `name` has a value of its own, or none. */
function fileWith(name: string, value?: unknown): string {
  const beside = name.startsWith("sidecar.credentials.")
    ? credentialWith(name.split(".").at(-1)!)
    : BESIDE.find(([prefix]) => name.startsWith(prefix))?.[1] ?? "";
  const base = beside.includes("agent_id") ? beside : `${AGENT}${beside}`;
  if (value === undefined) return base;
  // The other keys that there may be are those of the kind.
  if (name.endsWith(">.provider")) return `${AGENT}${credentialWith("path")}`;
  const path = name.replace(/<id>|<label>/, "example").split(".");
  const leaf = path.pop()!;
  const table = path.join(".");
  const header = table.endsWith("[]") ? `[[${table.replaceAll("[]", "")}]]` : `[${table}]`;
  const line = `${leaf} = ${JSON.stringify(value)}\n`;
  if (!base.includes(`${header}\n`)) return `${base}${header}\n${line}`;
  const others = base.split("\n").filter((each) => !each.startsWith(`${leaf} =`)).join("\n");
  return others.replace(`${header}\n`, `${header}\n${line}`);
}

function meaningOf(text: string): string {
  const config = parseConfig(text, FILE, DEFAULTS);
  if (!config.ok) assert.fail(`${text}\n${JSON.stringify(config.error)}`);
  const authority = parseAuthorityConfig({ file: FILE, text, digest: "" }, ENV);
  if (!authority.ok) assert.fail(`${text}\n${JSON.stringify(authority.error)}`);
  return JSON.stringify([config.value, authority.value]);
}

for (const { name, key } of KEYS) {
  Deno.test(`${name} is read: its example changes what a configuration means`, () => {
    const example = key.example ?? key.default;
    assert.notEqual(meaningOf(fileWith(name, example)), meaningOf(fileWith(name)));
  });
}

Deno.test("every key says what it is, and what holds without it in exactly one way", () => {
  for (const { name, key } of KEYS) {
    assert.match(key.about, /^[A-Z][^\n]{10,110}[^.\s]$/, name);
    const ways = [key.isRequired, key.default !== undefined, key.otherwise !== undefined];
    assert.equal(ways.filter(Boolean).length, 1, name);
  }
});

Deno.test("every default has the meaning of a key that is absent", () => {
  for (const { name, key } of KEYS) {
    if (key.default === undefined) continue;
    assert.equal(meaningOf(fileWith(name, key.default)), meaningOf(fileWith(name)), name);
  }
});

Deno.test("a key of OpenFirma that firma does not have is refused, with what to write instead", () => {
  const cases: Record<string, RegExp> = {
    "[sidecar.interceptor.https_mitm]\nstrict_hosts = []\n": /every host is inspected/,
    "[sidecar.connector]\ndefault_timeout = '30s'\n": /connect_timeout, headers_timeout/,
    [
      "[sidecar.credentials.a]\nprovider = 'file'\npath = 'a'\n" +
      "hosts = ['a.test']\ntarget_host = 'a.test'\n"
    ]: /write hosts/,
    "[[sidecar.connector.hosts]]\nhost = 'a.test'\nrps = 1\n": /no limits of this kind/,
    "[sidecar.policy]\ndir = 'policies'\n": /policy_dir in \[authority\]/,
    "[sidecar.mapping]\nrules_path = 'm.toml'\n": /rules_paths = /,
    "[run]\nbackend = 'bwrap'\n": /one kind of sandbox/,
    "[run.profiles.own]\nbackend = 'bwrap'\n": /one kind of sandbox/,
  };
  for (const [text, cure] of Object.entries(cases)) {
    const parsed = parseConfig(`${AGENT}${text}`, FILE, DEFAULTS);
    assert.ok(!parsed.ok, text);
    assert.match(parsed.error[0]!.message, /there is no such key$/);
    assert.match(parsed.error[0]!.cure!, cure);
    assert.ok(parsed.error[0]!.at!.line! >= 3);
  }
});

Deno.test("run.profile names the profiles that there are", () => {
  const about = KEYS.find(({ name }) => name === "run.profile")!.key.about;
  for (const { id } of PROFILES) assert.ok(about.includes(`\`${id}\``), id);
});
