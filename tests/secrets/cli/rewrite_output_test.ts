import assert from "node:assert/strict";
import fc from "fast-check";
import { PROGRAM_PRESETS } from "../../../src/secrets/cli/presets.ts";
import { rewriteOutput } from "../../../src/secrets/cli/rewrite_output.ts";
import type { OutputForm } from "../../../src/secrets/cli/store_command.ts";
import type { Json } from "../../../src/secrets/store/value_path.ts";
import { SessionSecrets } from "../../../src/secrets/session_secrets.ts";

const SECRET = 'canary/Q+z="vX\\4711-aBcDeFgHiJkLmNoP';
const FSP = "fsp_[0-9a-hjkmnp-tv-z]{26}";

function rewritten(text: string, form: OutputForm) {
  const secrets = new SessionSecrets();
  const learnt: string[] = [];
  const shown = rewriteOutput(text, form, secrets, ({ secret }) => void learnt.push(secret));
  return { shown, learnt, secrets };
}

/** How the first sensitive command of a program with these words prints. */
function formOf(preset: keyof typeof PROGRAM_PRESETS, words: string, kind: OutputForm["kind"]) {
  const found = PROGRAM_PRESETS[preset].sensitive
    .find((form) => form.words.join(" ") === words && form.output.kind === kind);
  return found!.output;
}

Deno.test("rewriteOutput() shows a placeholder for a value, and learns it", () => {
  const { shown, learnt, secrets } = rewritten(`${SECRET}\n`, { kind: "value" });
  assert.match(shown!, new RegExp(`^${FSP}\\n$`));
  assert.deepEqual(learnt, [SECRET]);
  assert.equal(secrets.secretOf(shown!.trim()), SECRET);
  assert.match(rewritten(SECRET, { kind: "value" }).shown!, new RegExp(`^${FSP}$`));
});

Deno.test("rewriteOutput() shows what is too short to be told from other text nowhere in the output", () => {
  for (const short of ["hunter2", "postgres", "123456", "a"]) {
    const { shown, learnt } = rewritten(`${short}\n`, { kind: "value" });
    assert.match(shown!, new RegExp(`^${FSP}\\n$`));
    if (short !== "hunter2") assert.deepEqual(learnt, []);
  }
});

Deno.test("rewriteOutput() shows the names that people write below a password", () => {
  const text = `${SECRET}\nlogin: robot-of-the-team-4711\n\nurl: https://a.test/?k=canary-9182\n`;
  const { shown, learnt } = rewritten(text, { kind: "lines" });
  assert.match(shown!, new RegExp(`^${FSP}\\nlogin: ${FSP}\\n\\nurl: ${FSP}\\n$`));
  assert.equal(learnt.length, 3);
  const key = `-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\n-----END KEY-----`;
  assert.match(rewritten(`${key}\n`, { kind: "lines" }).shown!, new RegExp(`^${FSP}\\n$`));
});

function valueAt(document: Json, path: string): Json | undefined {
  return path.split(".").reduce<Json | undefined>(
    (value, step) => Object.entries(value as object).find(([name]) => name === step)?.[1],
    document,
  );
}

/** What the programs print, as their documentation shows it, and what is left of it. */
const PRINTED: readonly (readonly [OutputForm, Json, readonly string[]])[] = [
  [
    formOf("op", "item get", "json"),
    {
      id: "abc",
      title: "api",
      version: 3,
      vault: { id: "v", name: "Private" },
      category: "LOGIN",
      fields: [
        {
          id: "password",
          type: "CONCEALED",
          label: "password",
          value: SECRET,
          reference: "op://a/b/c",
        },
        { id: "key", type: "SSHKEY", label: "key", ssh_formats: { openssh: { value: SECRET } } },
        { id: "p", label: "p", password_details: { history: [SECRET], strength: "GOOD" } },
      ],
      urls: [{ label: "website", primary: true, href: `https://a.test/${SECRET}` }],
      lately_added: SECRET,
    },
    ["id", "title", "version", "vault.name", "fields.0.label"],
  ],
  [formOf("op", "item get", "json"), { id: "p", type: "CONCEALED", label: "p", value: SECRET }, [
    "id",
    "label",
  ]],
  [formOf("bws", "secret get", "json"), {
    object: "secret",
    id: "1",
    key: "API_KEY",
    value: SECRET,
    note: `also ${SECRET}`,
    creationDate: "2026-01-01",
  }, ["id", "key", "creationDate"]],
  [formOf("bws", "secret list", "json"), [{ id: "1", key: "A", value: SECRET, note: "" }], [
    "0.id",
    "0.key",
  ]],
  [formOf("vault", "kv get", "json"), {
    request_id: "r",
    lease_id: "",
    lease_duration: 0,
    renewable: false,
    data: { data: { token: SECRET, nested: { deep: [SECRET] } }, metadata: { version: 3 } },
    auth: { client_token: SECRET },
    wrap_info: { token: SECRET },
  }, ["request_id", "renewable"]],
  // The older kind of store has no metadata of its own: that is a secret of that name.
  [formOf("vault", "kv get", "json"), { request_id: "r", data: { metadata: SECRET } }, [
    "request_id",
  ]],
  [formOf("aws", "secretsmanager get-secret-value", "json"), {
    ARN: "arn:aws:secretsmanager:a",
    Name: "app/db",
    VersionStages: ["AWSCURRENT"],
    SecretString: JSON.stringify({ user: "robot-of-the-team-4711", password: SECRET }),
    CreatedDate: 1700000000.1,
  }, ["ARN", "Name", "VersionStages.0", "CreatedDate"]],
  [formOf("doppler", "secrets get", "json"), { KEY: { computed: SECRET, raw: SECRET } }, []],
];

Deno.test("rewriteOutput() keeps of JSON what is known to be none, and no value", () => {
  for (const [form, document, kept] of PRINTED) {
    const text = JSON.stringify(document, null, 2);
    assert.ok(text.includes(JSON.stringify(SECRET).slice(1, -1)) || text.includes("canary"));
    const { shown } = rewritten(`${text}\n`, form);
    assert.ok(!shown!.includes("canary"), shown);
    for (const path of kept) {
      assert.equal(valueAt(JSON.parse(shown!), path), valueAt(document, path), path);
    }
  }
});

Deno.test("rewriteOutput() makes nothing of what is not in its form", () => {
  const json = formOf("vault", "kv get", "json");
  for (
    const text of ["", "\n", `Key Value\n${SECRET}`, `{"data": "${"x".repeat(9)}`, `'${SECRET}'`]
  ) {
    assert.equal(rewritten(text, json).shown, undefined, text);
  }
  assert.equal(rewritten("", { kind: "value" }).shown, undefined);
  assert.equal(rewritten("\n", { kind: "lines" }).shown, undefined);
});

Deno.test("rewriteOutput() lets no value through, whatever it is", () => {
  const value = fc.string({ minLength: 6, unit: "grapheme-ascii" }).map((text) => `~${text}~`);
  fc.assert(fc.property(value, fc.constantFrom("value", "lines"), (secret, kind) => {
    const { shown } = rewritten(`${secret}\n`, { kind } as OutputForm);
    assert.ok(shown === undefined || !shown.includes(secret), `${shown}`);
  }));
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 4 }), (document) => {
    const { shown } = rewritten(JSON.stringify(document), { kind: "json", keep: [] });
    const leaves = (value: unknown): unknown[] =>
      typeof value === "object" && value !== null ? Object.values(value).flatMap(leaves) : [value];
    for (const leaf of leaves(JSON.parse(shown!))) {
      if (typeof leaf === "string" && leaf !== "") assert.match(leaf, /fsp_|^[[{]/);
      else assert.notEqual(typeof leaf, "number");
    }
  }));
});
