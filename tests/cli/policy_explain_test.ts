import assert from "node:assert/strict";
import { Person } from "../fixtures/cli.ts";

const DELETION = "DELETE https://api.github.com/repos/o/r/git/refs/heads/main";

Deno.test("firma policy explain tells outside of a project what posture dev says", async () => {
  await using person = await Person.create();
  const [text, json] = await Promise.all([
    person.firma(["policy", "explain", DELETION]),
    person.firma(["policy", "explain", "--json", DELETION]),
  ]);
  assert.deepEqual([text.code, text.stderr], [0, ""]);
  assert.match(text.stdout, /^host +api\.github\.com$/m);
  assert.match(text.stdout, /^path +\/repos\/o\/r\/git\/refs\/heads\/main$/m);
  assert.match(text.stdout, /^rule +packs\/mappings\/github\.toml:\d+ /m);
  assert.match(text.stdout, /^class .*code\.destructive/m);
  assert.match(text.stdout, /^token +scope \*\*$/m);
  assert.match(
    text.stdout,
    /^forbid +dev\.forbid-code-destruction +packs\/postures\/dev\.cedar:\d+$/m,
  );
  assert.match(text.stdout, /^decision +DENY \(PolicyDenied: /m);
  const said = JSON.parse(json.stdout);
  assert.equal(said.action_class, "code.destructive");
  assert.deepEqual([said.decision, said.reason], ["DENY", "PolicyDenied"]);
  assert.ok(said.policy_ids.includes("dev.forbid-code-destruction"));
  assert.match(said.cure, /^except it there: packs\/postures\/dev\.cedar:\d+; /);
});

Deno.test("firma policy explain gives the canonical class beside the finer one", async () => {
  await using person = await Person.create();
  const call = "POST https://api.anthropic.com/v1/messages";
  const said = JSON.parse((await person.firma(["policy", "explain", call, "--json"])).stdout);
  assert.equal(said.action_class, "communication.external.send");
  assert.equal(said.finer_class, "model.inference");
  assert.deepEqual(said.lineage, ["model.inference", "communication.external.send"]);
});

Deno.test("firma policy explain decides by the project around it", async () => {
  await using person = await Person.create();
  await person.configure({
    posture: "strict",
    rules: '[[rules]]\nhost = "api.code.test"\naction_class = "code.read"\n',
  });
  const here = await person.firma(["policy", "explain", "https://api.code.test/x"]);
  assert.equal(here.code, 0);
  assert.match(here.stdout, /^rule +\.firma\/mappings\/test\.toml:\d+ /m);
  assert.match(here.stdout, /^decision +DENY \(PolicyDenied: no policy permits it\)/m);
  assert.match(here.stdout, /^cure +a policy that permits Firma::Action::"code\.read"$/m);
  assert.match(here.stderr, /^firma: nobody trusts "\.firma" yet/, "firma run would refuse it");
  const github = await person.firma(["policy", "explain", DELETION]);
  assert.match(github.stdout, /^decision +DENY \(UnclassifiedIntent/m, "it maps no GitHub");
  assert.match(github.stdout, /^cure +firma config --extra-hosts api\.github\.com$/m);
});

Deno.test("firma policy explain takes headers and a body", async () => {
  await using person = await Person.create();
  await person.write("issue.json", '{"title":"It leaks"}');
  const call = ["policy", "explain", "POST https://api.github.com/repos/o/r/issues"];
  const plain = await person.firma([
    ...call,
    "--body",
    "issue.json",
    "--header",
    "Content-Type: application/json",
  ]);
  assert.match(plain.stdout, /^decision +ALLOW$/m);
  // Attack: the header that asks to be taken for another method.
  const overridden = await person.firma([...call, "--header", "X-HTTP-Method-Override: DELETE"]);
  assert.match(overridden.stdout, /^decision +DENY \(MalformedRequest: /m);
});

Deno.test("firma policy explain says what it cannot read", async () => {
  await using person = await Person.create();
  const table: Record<string, [words: string[], expected: RegExp]> = {
    "a method that is none": [
      ["GTE https://a.test/"],
      /"GTE" is not a method.*did you mean "GET"/s,
    ],
    "a header that is none": [["https://a.test/", "--header", "nothing"], /is not "Name: value"/],
    "a body that is not there": [["https://a.test/", "--body", "nowhere"], /Cannot read the body/],
    "a configuration that is not there": [["https://a.test/", "-c", "no.toml"], /no\.toml/],
  };
  for (const [name, [words, expected]] of Object.entries(table)) {
    const { code, stdout, stderr } = await person.firma(["policy", "explain", ...words]);
    assert.deepEqual([code, stdout], [2, ""], name);
    assert.match(stderr, expected, name);
  }
});

Deno.test("firma policy explain shows where the policies of a project are broken", async () => {
  await using person = await Person.create();
  await person.configure({});
  await person.write(
    ".firma/policies/broken.cedar",
    "permit (principal, action, resource)\nwhen { = };\n",
  );
  const { code, stderr } = await person.firma(["policy", "explain", "https://a.test/"]);
  assert.equal(code, 2);
  assert.match(stderr, /^\.firma\/policies\/broken\.cedar:2:8: error: /m);
});
