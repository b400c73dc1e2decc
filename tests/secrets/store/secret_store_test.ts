import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { SessionSecrets } from "../../../src/secrets/session_secrets.ts";
import { pathMatches } from "../../../src/secrets/store/path_pattern.ts";
import { STORE_PRESETS, type StorePreset } from "../../../src/secrets/store/presets.ts";
import { rewriteAnswer } from "../../../src/secrets/store/rewrite_answer.ts";
import {
  type SecretStore,
  type StoreCall,
  storeVerdict,
} from "../../../src/secrets/store/secret_store.ts";
import { parseValuePath, type ValuePath } from "../../../src/secrets/store/value_path.ts";

const SECRET = "kP9-zzQ1-value-of-the-store";
const OTHER = "Xy7-another-value";
const HOST = "store.test";

function valuePath(text: string): ValuePath {
  const path = parseValuePath(text);
  return path.ok ? path.value : assert.fail(path.error);
}

function call(method: string, path: string, target?: string): StoreCall {
  const fields = target === undefined ? [] : [["x-amz-target", target] as const];
  return { host: HOST, method, path, fields };
}

const preset = (id: StorePreset): SecretStore => ({
  id,
  host: HOST,
  hosts: [],
  ...STORE_PRESETS[id],
});

/** A call that gives a value out, and the answer to it as the service documents it. */
const ANSWERS: Readonly<Record<StorePreset, readonly [StoreCall, unknown]>> = {
  vault: [call("GET", "/v1/secret/data/app/db"), {
    data: { data: { password: SECRET, nested: { key: OTHER } }, metadata: { version: 3 } },
  }],
  "aws-secrets-manager": [call("POST", "/", "secretsmanager.GetSecretValue"), {
    Name: "app",
    SecretString: JSON.stringify({ password: SECRET, key: OTHER }),
  }],
  "gcp-secret-manager": [call("GET", "/v1/projects/p/secrets/s/versions/latest:access"), {
    name: "projects/1/secrets/s/versions/4",
    payload: { data: Buffer.from(`${SECRET} ${OTHER}`).toString("base64"), dataCrc32c: "1" },
  }],
  "azure-key-vault": [call("GET", "/secrets/app/0123"), { value: SECRET + OTHER, id: "x" }],
  doppler: [call("GET", "/v3/configs/config/secrets"), {
    secrets: { A: { raw: SECRET, computed: SECRET }, B: { raw: OTHER, computed: OTHER } },
  }],
  infisical: [call("GET", "/api/v3/secrets/raw"), {
    secrets: [{ secretKey: "A", secretValue: SECRET }, { secretKey: "B", secretValue: OTHER }],
  }],
  "1password-connect": [call("GET", "/v1/vaults/v/items/i"), {
    title: "app",
    fields: [{ id: "password", value: SECRET }, { id: "key", value: OTHER }],
  }],
};

for (const id of Object.keys(STORE_PRESETS) as StorePreset[]) {
  Deno.test(`rewriteAnswer() leaves no value in an answer of ${id}, and remembers each`, () => {
    const [asked, answer] = ANSWERS[id];
    const verdict = storeVerdict([preset(id)], asked);
    assert.ok(verdict?.kind === "sensitive", id);
    const secrets = new SessionSecrets();
    const out = rewriteAnswer(Buffer.from(JSON.stringify(answer)), verdict.rule, secrets)!;
    const text = Buffer.from(out).toString();
    for (const hidden of [SECRET, OTHER, Buffer.from(SECRET).toString("base64").slice(0, 20)]) {
      assert.ok(!text.includes(hidden), text);
    }
    const shown = JSON.parse(text);
    assert.deepEqual(shape(shown), shape(answer), "what is not a value stays where it was");
    assert.match(Buffer.from(text.match(/"data":"(.*?)"/)?.[1] ?? "", "base64") + text, /fsp_/);
    // From now on other answers do not show it either.
    const known = secrets.table.forms.map(({ known }) => known.secret);
    assert.ok(known.some((secret) => secret.includes(SECRET)), String(known));
    assert.ok(known.some((secret) => secret.includes(OTHER)), String(known));
  });

  Deno.test(`storeVerdict() blocks what ${id} is not known to answer harmlessly`, () => {
    const store = preset(id);
    const [{ method, path }] = ANSWERS[id];
    const attacks = [
      call(method === "GET" ? "POST" : "GET", path),
      call("GET", "/"),
      call("GET", `${path}/x/y/z/../raw`),
      call("GET", `/v2${path}`),
      call("POST", "/v1/sys/wrapping/unwrap"),
      call("POST", "/", "secretsmanager.PutSecretValue"),
      call("GET", "/v1/vaults/v/items/i/files/f/content"),
    ];
    for (const attack of attacks) {
      if (id === "vault" && attack.path.startsWith("/v1/secret/data/") && attack.method === "GET") {
        continue; // names of secrets have any number of segments
      }
      const verdict = storeVerdict([store], attack);
      assert.equal(verdict?.kind, "blocked", JSON.stringify(attack));
    }
    assert.equal(storeVerdict([store], { ...call("GET", "/"), host: "elsewhere.test" }), undefined);
  });
}

/** A document without its texts. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shape);
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shape(member)]));
}

Deno.test("storeVerdict() wants X-Amz-Target once, and takes blocked before sensitive before safe", () => {
  const aws = preset("aws-secrets-manager");
  const once = call("POST", "/", "secretsmanager.ListSecrets");
  assert.equal(storeVerdict([aws], once)?.kind, "safe");
  const twice = {
    ...once,
    fields: [...once.fields, ["x-amz-target", "secretsmanager.X"] as const],
  };
  assert.equal(storeVerdict([aws], twice)?.kind, "blocked");
  const all = { path: "/**", methods: ["GET"] };
  const values = [valuePath("**")];
  const store = (blocked: boolean, sensitive: boolean): SecretStore => ({
    id: "x",
    hosts: [],
    host: "*.store.test",
    blocked: blocked ? [all] : [],
    sensitive: sensitive ? [{ ...all, values, encoding: "plain" }] : [],
    safe: [all],
  });
  const asked = { ...call("GET", "/a"), host: "eu.store.test" };
  assert.equal(storeVerdict([store(true, true)], asked)?.kind, "blocked");
  assert.equal(storeVerdict([store(false, true)], asked)?.kind, "sensitive");
  assert.equal(storeVerdict([store(false, false)], asked)?.kind, "safe");
});

Deno.test("rewriteAnswer() has nothing to say of what is not the answer that was expected", () => {
  const rule = { path: "/", methods: ["GET"], encoding: "plain" as const };
  const values = [valuePath("data.data.**")];
  const rewritten = (text: string) =>
    rewriteAnswer(Buffer.from(text), { ...rule, values }, new SessionSecrets());
  for (
    const text of ["no JSON", '{"data":{"value":"x"}}', '{"wrap_info":{"token":"x"}}', "[1]", "1"]
  ) {
    assert.equal(rewritten(text), undefined, text);
  }
  for (const text of ['{"data":{"data":null}}', '{"data":{"data":{}}}']) {
    assert.equal(Buffer.from(rewritten(text)!).toString(), text);
  }
});

Deno.test("rewriteAnswer() replaces short values in their answer alone", () => {
  const values = [valuePath("data.**")];
  const rule = { path: "/", methods: ["GET"], encoding: "plain" as const, values };
  const secrets = new SessionSecrets();
  const answer = { data: { user: "postgres", pin: 1234, ssl: true } };
  const out = JSON.parse(
    Buffer.from(rewriteAnswer(Buffer.from(JSON.stringify(answer)), rule, secrets)!).toString(),
  );
  assert.match(out.data.user, /^fsp_/);
  assert.match(out.data.pin, /^fsp_/);
  assert.equal(out.data.ssl, true);
  assert.ok(secrets.table.isEmpty);
});

Deno.test("the paths of presets are paths", () => {
  const rules = Object.values(STORE_PRESETS).flatMap(({ sensitive }) => [...sensitive]);
  for (const { values } of rules) {
    for (const path of values) assert.deepEqual(valuePath(path.text), path);
  }
});

Deno.test("parseValuePath() refuses what leads nowhere", () => {
  for (const text of ["", "a..b", "**.a", ".a"]) assert.equal(parseValuePath(text).ok, false, text);
});

Deno.test("pathMatches() tells segments apart", () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ["/a/*", "/a/b", true],
    ["/a/*", "/a/b/c", false],
    ["/a/*", "/a/", false],
    ["/a/**", "/a", true],
    ["/a/**", "/a/b/c", true],
    ["/a/**", "/ab", false],
    ["/**/c", "/a/b/c", true],
    ["/v/*:access", "/v/5:access", true],
    ["/v/*:access", "/v/5:destroy", false],
    ["/v/a*b*c", "/v/abc", true],
    ["/v/a*b*c", "/v/ac", false],
    ["/v/ab*ba", "/v/aba", false],
  ];
  for (const [pattern, path, expected] of cases) {
    assert.equal(pathMatches(pattern, path), expected, `${pattern} ${path}`);
  }
  const segment = fc.string({ minLength: 1, maxLength: 4, unit: fc.constantFrom("a", "b", ":") });
  fc.assert(fc.property(fc.array(segment), (segments) => {
    const path = `/${segments.join("/")}`;
    assert.ok(pathMatches(path, path) && pathMatches("/**", path));
  }));
});
