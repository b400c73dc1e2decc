import assert from "node:assert/strict";
import { Person } from "../fixtures/cli.ts";

Deno.test("firma policy list shows every posture and mapping with its operations", async () => {
  await using person = await Person.create();
  const [text, json] = await Promise.all([
    person.firma(["policy", "list"]),
    person.firma(["policy", "list", "--json"]),
  ]);
  assert.equal(text.code, 0);
  assert.ok(text.stdout.split("\n").every((line) => line === line.trimEnd()));
  const { postures, mappings } = JSON.parse(json.stdout);
  const names = (packs: { name: string }[]) => packs.map(({ name }) => name);
  assert.deepEqual(names(postures), ["dev", "dev-with-delete-watch", "strict"]);
  for (const name of ["anthropic", "cargo", "github", "gmail", "npm", "openai", "pypi", "stripe"]) {
    assert.ok(names(mappings).includes(name), name);
  }
  for (const pack of [...postures, ...mappings]) {
    assert.match(text.stdout, new RegExp(`^${pack.name} +[1-9]\\d* `, "m"));
    assert.ok(pack.policies > 0 || pack.operations > 0, pack.name);
  }
  const github = mappings.find(({ name }: { name: string }) => name === "github");
  assert.ok(github.operations > 1400);
});

Deno.test("firma policy list --classes names what policies can name", async () => {
  await using person = await Person.create();
  const text = await person.firma(["policy", "list", "--classes"]);
  assert.match(text.stdout, /^CLASS +RISK +PARENT +MEANING$/m);
  assert.match(text.stdout, /^model\.inference +high +communication\.external\.send +/m);
});

Deno.test("firma policy show tells what a mapping covers", async () => {
  await using person = await Person.create();
  const [plain, operations, json] = await Promise.all([
    person.firma(["policy", "show", "github"]),
    person.firma(["policy", "show", "github", "--operations"]),
    person.firma(["policy", "show", "github", "--json"]),
  ]);
  assert.match(plain.stdout, /^GitHub: /);
  assert.match(plain.stdout, /^Hosts: api\.github\.com, /m);
  assert.match(plain.stdout, /^code\.destructive +\d+$/m);
  assert.match(operations.stdout, /^\S+ +DELETE +api\.github\.com\/repos\/\*\/\*\/git\/refs\//m);
  const { operations: all, classes } = JSON.parse(json.stdout);
  const total = Object.values<number>(classes).reduce((sum, count) => sum + count, 0);
  assert.equal(all.length, total);
});

Deno.test("firma policy show tells what a posture permits, and prints its source", async () => {
  await using person = await Person.create();
  const [plain, source] = await Promise.all([
    person.firma(["policy", "show", "dev"]),
    person.firma(["policy", "show", "dev", "--source"]),
  ]);
  assert.match(plain.stdout, /^dev\.forbid-money +forbid +payment\.transfer, payment\.purchase/m);
  assert.match(plain.stdout, /^dev\.ask-before-deleting-many-files +forbid \(step up\) when +/m);
  assert.equal(source.stdout, await Deno.readTextFile("packs/postures/dev.cedar"));
});

Deno.test("firma policy show names the nearest of an unknown pack", async () => {
  await using person = await Person.create();
  const { code, stderr } = await person.firma(["policy", "show", "gihub"]);
  assert.equal(code, 2);
  assert.match(stderr, /did you mean "github"\?/);
});
