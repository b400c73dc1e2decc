import assert from "node:assert/strict";
import { Person } from "../fixtures/cli.ts";

Deno.test("firma policy validate accepts every posture that ships, and the project's own", async () => {
  await using person = await Person.create();
  const root = Deno.cwd();
  const postures = ["strict", "dev", "dev-with-delete-watch"];
  const files = postures.map((name) => `${root}/packs/postures/${name}.cedar`);
  await person.configure({
    mappings: ["npm"],
    rules: '[[rules]]\nhost = "a.test"\naction_class = "code.read"\n',
  });
  const { code, stdout, stderr } = await person.firma([
    "policy",
    "validate",
    ...files,
    ".firma/policies",
    ".firma/mappings/npm.toml",
  ]);
  assert.deepEqual([code, stderr], [0, ""]);
  const lines = stdout.trimEnd().split("\n");
  assert.equal(lines.length, 5);
  assert.ok(lines.slice(0, 4).every((line) => /: OK, \d+ policies$/.test(line)), stdout);
  assert.match(lines[4]!, /^\.firma\/mappings\/npm\.toml: OK, \d+ rules$/);

  const all = await person.firma(["policy", "validate"]);
  assert.deepEqual([all.code, all.stderr], [0, ""]);
  const checked = all.stdout.trimEnd().split("\n").map((line) => line.replace(/: OK, .*/, ""));
  assert.deepEqual(checked, [
    ".firma/policies",
    ".firma/issuance-policies",
    ".firma/mappings/npm.toml",
    ".firma/mappings/test.toml",
  ]);
  await Deno.remove(`${person.project}/.firma`, { recursive: true });
  const none = await person.firma(["policy", "validate"]);
  assert.equal(none.code, 2);
  assert.match(none.stderr, /there is none here\n {2}cure: name files/);
});

Deno.test("firma policy validate marks each fault and says what was meant", async () => {
  await using person = await Person.create();
  const files: Record<string, [text: string, expected: string]> = {
    "action.cedar": [
      '@id("a")\npermit (principal, action in [Firma::Action::"code.raed"], resource);\n',
      `action.cedar:2:31: error: Cannot load policy "a": unrecognized action Firma::Action::"code.raed"
  2 | permit (principal, action in [Firma::Action::"code.raed"], resource);
    |                               ^^^^^^^^^^^^^^^^^^^^^^^^^^
  help: did you mean Firma::Action::"code.read"?
`,
    ],
    "context.cedar": [
      "permit (principal, action, resource) when { context.action_cuont > 3 };\n",
      `context.cedar:1:45: error: Cannot load policy "context.cedar#1": attribute "action_cuont" in context not found
  1 | permit (principal, action, resource) when { context.action_cuont > 3 };
    |                                             ^^^^^^^^^^^^^^^^^^^^
  help: did you mean "action_count"?
`,
    ],
    "entity.cedar": [
      "permit (principal is Firma::Agnt, action, resource);\n",
      `entity.cedar:1:22: error: Cannot load policy "entity.cedar#1": unrecognized entity type "Firma::Agnt"
  1 | permit (principal is Firma::Agnt, action, resource);
    |                      ^^^^^^^^^^^
  help: did you mean "Firma::Agent"?
`,
    ],
    "type.cedar": [
      'permit (principal, action, resource) when { context.action_count < "x" };\n',
      `type.cedar:1:68: error: Cannot load policy "type.cedar#1": unexpected type: expected Long but saw String
  1 | permit (principal, action, resource) when { context.action_count < "x" };
    |                                                                    ^^^
`,
    ],
    "syntax.cedar": [
      "permit (principal, action, resource)\nwhen { context.action_count = 3 };\n",
      `syntax.cedar:2:8: error: Cannot load policy "syntax.cedar#1": '=' is not a valid operator in Cedar
  2 | when { context.action_count = 3 };
    |        ^^^^^^^^^^^^^^^^^^^^^^^^
  help: try using '==' instead
`,
    ],
    "rules.toml": [
      '[[rules]]\nhost = "a.test"\naction_class = "code.raed"\n',
      `rules.toml:3: error: Cannot use action_class "code.raed": not in the registry
  3 | action_class = "code.raed"
  help: did you mean "code.read"?
`,
    ],
  };
  for (const [name, [text]] of Object.entries(files)) await person.write(name, text);
  const { code, stdout, stderr } = await person.firma([
    "policy",
    "validate",
    ...Object.keys(files),
  ]);
  assert.equal(code, 1);
  assert.equal(stdout, Object.keys(files).map((name) => `${name}: invalid\n`).join(""));
  for (const [name, [, expected]] of Object.entries(files)) {
    assert.ok(stderr.includes(expected), `${name}\n${stderr}`);
  }
});

Deno.test("firma policy validate tells what cannot be read from what is not valid", async () => {
  await using person = await Person.create();
  await person.write("good.cedar", "permit (principal, action, resource);\n");
  await person.write("empty/readme.md", "");
  const missing = await person.firma([
    "policy",
    "validate",
    "good.cedar",
    "missing.cedar",
    "empty",
  ]);
  assert.equal(missing.code, 2);
  assert.match(missing.stdout, /^good\.cedar: OK, 1 policy$/m);
  assert.match(missing.stderr, /missing\.cedar": there is no such file/);
  assert.match(missing.stderr, /"empty": it holds no \.cedar file/);
  assert.equal((await person.firma(["policy", "validate"])).code, 2);
});

Deno.test("firma policy validate checks the files of a directory together", async () => {
  await using person = await Person.create();
  const policy = '@id("same") permit (principal, action, resource);\n';
  await person.write("both/a.cedar", policy);
  await person.write("both/b.cedar", policy);
  const { code, stderr } = await person.firma(["policy", "validate", "both"]);
  assert.equal(code, 1);
  assert.match(stderr, /^both\/b\.cedar:1:1: error: .*the id is taken by a\.cedar:1/m);
});

Deno.test("firma policy knows the action classes that the project defines", async () => {
  await using person = await Person.create();
  const rules =
    '[[rules]]\nhost = "deploy.test"\nmethod = "POST"\naction_class = "deploy.production"\n';
  const more = '[[action_classes]]\nname = "deploy.production"\nparent = "deploy.write"\n';
  await person.configure({ rules, more });
  await person.write(
    "own.cedar",
    'permit (principal, action in [Firma::Action::"deploy.production"], resource);\n',
  );
  await person.write(
    "fixture.toml",
    '[bundle]\npath = "own.cedar"\nmappings = [".firma/mappings/test.toml"]\n' +
      '[[cases]]\nname = "deploys"\nrequest = "POST https://deploy.test/"\n' +
      'action_class = "deploy.production"\nexpected = "ALLOW"\n',
  );
  const files = ["own.cedar", ".firma/mappings/test.toml"];
  const valid = await person.firma(["policy", "validate", ...files]);
  assert.deepEqual([valid.code, valid.stderr], [0, ""]);
  const tested = await person.firma(["policy", "test", "fixture.toml"]);
  assert.deepEqual([tested.code, tested.stderr], [0, ""], tested.stdout);
  const explained = await person.firma(["policy", "explain", "POST https://deploy.test/"]);
  assert.match(explained.stdout, /^class +deploy\.production < deploy\.write < code\.write$/m);
  const listed = await person.firma(["policy", "list", "--classes"]);
  assert.match(listed.stdout, /^deploy\.production +high +deploy\.write +Defined in firma\.toml$/m);
  // Elsewhere nobody knows them, unless the configuration is named.
  const cwd = await Deno.makeTempDir();
  try {
    const file = `${person.project}/own.cedar`;
    assert.equal((await person.firma(["policy", "validate", file], { cwd })).code, 1);
    const config = ["--config", `${person.project}/.firma/firma.toml`];
    assert.equal((await person.firma(["policy", "validate", file, ...config], { cwd })).code, 0);
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
});

Deno.test("firma policy validate names the line of an action class that cannot be", async () => {
  await using person = await Person.create();
  await person.configure({
    more: '[[action_classes]]\nname = "deploy.production"\nparent = "deploy.wriet"\n',
  });
  const { code, stderr } = await person.firma(["policy", "validate", ".firma/policies"]);
  assert.equal(code, 2);
  assert.match(stderr, /"deploy\.wriet" is no class of the registry/);
  assert.match(stderr, /did you mean "deploy\.write"\?/);
  assert.match(stderr, /firma\.toml:\d+/);
});
