import assert from "node:assert/strict";
import { Person } from "../fixtures/cli.ts";

const POLICY = `@id("reading") permit (principal, action in [Firma::Action::"code.read"], resource);
@id("destroying") forbid (principal, action in [Firma::Action::"code.destructive"], resource);
`;
const RULES = '[[rules]]\nhost = "api.code.test"\nmethod = "GET"\naction_class = "code.read"\n';
const CASES = `[bundle]
path = "policies"
mappings = ["rules.toml"]

[[cases]]
name = "reads"
request = "GET https://api.code.test/a"
expected = "ALLOW"
policy_ids = ["reading"]

[[cases]]
name = "writes"
request = "POST https://api.code.test/a"
expected = "DENY"
reason = "UnclassifiedIntent"

[[cases]]
name = "destroys"
action.class = "code.destructive"
resource.host = "api.code.test"
expected = "DENY"
`;
const SINGLE = `[fixture]
expected = "ALLOW"
principal.agent_id = "agt_01jd8xk5w7e0v9c3b2n4m6q8rs"
action.class = "code.read"
resource.host = "api.code.test"
[bundle]
path = "policies"
`;

async function project(files: Record<string, string> = {}): Promise<Person> {
  const person = await Person.create();
  const all = { "policies/a.cedar": POLICY, "rules.toml": RULES, "cases.toml": CASES, ...files };
  for (const [path, text] of Object.entries(all)) await person.write(path, text);
  return person;
}

Deno.test("firma policy test answers a fixture in the form of the reference with its decision", async () => {
  await using person = await project({ "one.toml": SINGLE });
  const passed = await person.firma(["policy", "test", "one.toml"]);
  assert.deepEqual([passed.code, passed.stdout, passed.stderr], [0, "ALLOW reading\n", ""]);
  await person.write("one.toml", SINGLE.replace("ALLOW", "DENY"));
  const failed = await person.firma(["policy", "test", "one.toml"]);
  assert.equal(failed.code, 1);
  assert.match(failed.stdout, /^ALLOW reading\n/);
  assert.match(failed.stdout, /expected DENY, got ALLOW/);
});

Deno.test("firma policy test runs the cases of a directory, and leaves mappings alone", async () => {
  await using person = await project();
  const { code, stdout, stderr } = await person.firma(["policy", "test", ".", "--coverage"]);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^cases\.toml\n {2}ok {3}reads\n {2}ok {3}writes\n {2}ok {3}destroys\n/);
  assert.match(stdout, /^3 passed, 0 failed$/m);
  assert.match(stdout, /^ {2}policies: 2 of 2 touched$/m);
  assert.match(stdout, /^ {2}classes: 2 of \d+ touched; not: account\.permission\.change,/m);
});

Deno.test("firma policy test reports a failed case everywhere it is asked to", async () => {
  const wrong = CASES.replace('expected = "ALLOW"', 'expected = "DENY"');
  await using person = await project({ "cases.toml": wrong });
  const run = await person.firma([
    "policy",
    "test",
    "cases.toml",
    "--github",
    "--junit",
    "out/report.xml",
  ]);
  assert.equal(run.code, 1);
  assert.match(run.stdout, /^ {2}FAIL reads\n {7}expected DENY, got ALLOW\n {7}at cases\.toml:5$/m);
  assert.match(
    run.stdout,
    /^::error file=cases\.toml,line=5,title=firma policy test%3A reads::expected DENY, got ALLOW$/m,
  );
  assert.match(await person.read("out/report.xml"), /<testsuites .*tests="3" failures="1"/);

  const json = await person.firma(["policy", "test", "cases.toml", "--json", "--coverage"]);
  assert.equal(json.code, 1);
  const { passed, failed, files, coverage } = JSON.parse(json.stdout);
  assert.deepEqual([passed, failed], [2, 1]);
  assert.equal(files[0].cases[1].reason, "UnclassifiedIntent");
  assert.deepEqual(coverage[0].policies, { all: 2, touched: 2, untouched: [] });
});

Deno.test("firma policy test tells bad input from failed cases", async () => {
  await using person = await project({
    "typo.toml": CASES.replace("expected", "expcted"),
    "broken.toml": CASES.replace('"policies"', '"broken"'),
    "broken/a.cedar": 'permit (principal, action == Firma::Action::"code.raed", resource);\n',
    "nothing/readme.md": "",
    "unknown.toml": CASES.replace("rules.toml", "gihub"),
  });
  const table: Record<string, RegExp> = {
    "missing.toml": /missing\.toml": there is no such file/,
    "typo.toml":
      /^typo\.toml:8:1: error: .*\n {2}8 \| expcted = "ALLOW"\n {4}\| \^\n {2}help: did you mean "expected"\?$/m,
    "broken.toml":
      /^broken\/a\.cedar:1:30: error: .*\n.*\n.*\n {2}help: did you mean Firma::Action::"code\.read"/m,
    "nothing": /Cannot test "nothing": it holds no fixture/,
    "rules.toml": /there is neither a \[fixture\] nor \[\[cases\]\]/,
    "unknown.toml": /Cannot find mapping "gihub"/,
  };
  for (const [path, expected] of Object.entries(table)) {
    const { code, stderr } = await person.firma(["policy", "test", path]);
    assert.equal(code, 2, path);
    assert.match(stderr, expected);
  }
});

Deno.test("firma policy test --watch runs again after an edit, and ends with Ctrl-C", async () => {
  await using person = await project();
  await using running = person.start(["policy", "test", "cases.toml", "--watch"]);
  await running.printed(/3 passed, 0 failed[^]*waiting for changes/);
  await person.write("policies/a.cedar", POLICY.replace("permit", "forbid"));
  await running.printed(/2 passed, 1 failed[^]*waiting for changes/);
  await person.write("policies/a.cedar", POLICY);
  await running.printed(/1 failed[^]*3 passed, 0 failed[^]*waiting for changes/);
  running.kill("SIGINT");
  assert.equal((await running.finished()).code, 0);
});

// Attack: a pull request whose case is called like a workflow command, or moves the cursor.
Deno.test("firma policy test prints names of cases as names", async () => {
  const evil = CASES.replace(
    '"reads"',
    '"::add-path::/evil ##[add-path]x \\u001b[2J\\n::error::x"',
  );
  await using person = await project({ "cases.toml": evil });
  const { stdout } = await person.firma(["policy", "test", "cases.toml", "--github"]);
  assert.match(stdout, /^ {2}ok {3}: *:?add-path|^ {2}ok {3}::add-path/m);
  assert.doesNotMatch(stdout, /^\s*::|##\[/m);
  // deno-lint-ignore no-control-regex -- controls are what this looks for
  assert.doesNotMatch(stdout, /[\x00-\x09\x0b-\x1f]/);
  // What is wrong with a fixture is told on the other stream, which the runner reads as well.
  await person.write("cases.toml", evil.replace("expected", '"##[add-path]x"'));
  const faulty = await person.firma(["policy", "test", "cases.toml", "--github"]);
  assert.match(faulty.stderr, /add-path/);
  assert.doesNotMatch(faulty.stdout + faulty.stderr, /##\[/);
});

Deno.test("the fixtures of every posture pass, at least 30 cases each", async () => {
  await using person = await Person.create();
  const directory = `${Deno.cwd()}/tests/fixtures/postures`;
  const run = await person.firma(["policy", "test", directory, "--json", "--coverage"]);
  assert.equal(run.code, 0, run.stdout + run.stderr);
  const { files, coverage } = JSON.parse(run.stdout);
  assert.equal(files.length, 3);
  for (const { file, cases } of files) assert.ok(cases.length >= 30, file);
  for (const { bundle, policies } of coverage) assert.deepEqual(policies.untouched, [], bundle);
});
