import assert from "node:assert/strict";
import { Person } from "../fixtures/cli.ts";
import { makeWorld } from "../fixtures/world.ts";

Deno.test("firma run reaches the real registry with zero configuration, and records it", async () => {
  await using person = await Person.create();
  const view = await person.firma(["run", "--yes", "--", "npm", "view", "hono", "name"]);
  assert.equal(view.code, 0, view.stderr);
  assert.equal(view.stdout.trim(), "hono");

  const decisions = (await person.events()).filter((event) => event.kind === "decision");
  const install = decisions.find((event) => event.resource.endsWith("/hono"));
  assert.ok(install, JSON.stringify(decisions));
  assert.deepEqual([install.decision, install.action_class], ["ALLOW", "system.install"]);
});

Deno.test("firma run lets npm install a small project", async () => {
  await using person = await Person.create();
  await person.write("package.json", `{"dependencies": {"is-number": "7.0.0"}}`);
  const install = await person.firma(["run", "--yes", "--", "npm", "install", "--no-audit"]);
  assert.equal(install.code, 0, install.stderr);
  assert.match(await person.read("node_modules/is-number/package.json"), /"version": "7\.0\.0"/);
});

Deno.test("firma run passes on exit code, arguments, input and output", async () => {
  await using person = await Person.create();
  const exit = await person.shell("echo out; echo err >&2; exit 7");
  assert.deepEqual([exit.code, exit.stdout], [7, "out\n"]);
  assert.match(exit.stderr, /^err$/m);

  const words = ["", "two words", "--yes", "'quoted'", "$HOME", "-"];
  const echo = await person.run(["printf", "<%s>", ...words]);
  assert.equal(echo.stdout, words.map((word) => `<${word}>`).join(""));

  const input = await person.firma(["run", "--yes", "--", "cat"], { stdin: "through and through" });
  assert.equal(input.stdout, "through and through");
});

Deno.test("firma run ends as its command does when a signal ends it", async () => {
  await using person = await Person.create();
  assert.equal((await person.shell("kill -TERM $$")).code, 128 + 15);
  assert.equal((await person.shell("kill -KILL $$")).code, 128 + 9);
});

Deno.test("firma run says so when the command does not exist", async () => {
  await using person = await Person.create();
  const missing = await person.run(["no-such-program-anywhere"]);
  assert.equal(missing.code, 127);
  assert.match(missing.stderr, /no-such-program-anywhere/);
});

Deno.test("firma run names the nearest flag when a flag is unknown", async () => {
  await using person = await Person.create();
  const unknown = await person.firma(["run", "--profil", "generic", "--", "true"]);
  assert.notEqual(unknown.code, 0);
  assert.match(unknown.stderr, /--profile/);
});

Deno.test("firma run gives the command the terminal: size, job control and Ctrl-C", async () => {
  await using person = await Person.create();
  await using running = person.startOnTerminal(
    [
      "run",
      "--yes",
      "--",
      "sh",
      "-c",
      `trap 'echo caught; exit 7' INT
      test -t 0 && test -t 1 && test -t 2 && echo is-a-terminal
      stty -a | head -n 1
      echo ready
      while :; do sleep 0.05; done`,
    ],
  );
  await running.printed(/ready/);
  assert.match(running.stdout, /is-a-terminal/);
  await running.write("\x03");
  await running.printed(/caught/);
  await running.closeInput();
  assert.equal((await running.finished()).code, 7);
});

Deno.test("firma run ends a command that does not care about Ctrl-C, with what came with it", async () => {
  await using person = await Person.create();
  await using running = person.startOnTerminal(
    ["run", "--yes", "--", "sh", "-c", "echo ready; exec sleep 1000"],
  );
  await running.printed(/ready/);
  await running.write("\x03");
  const { code } = await running.finished();
  assert.equal(code, 130);
  assert.deepEqual(await person.processes(), []);
});

Deno.test("firma run asks once on a terminal before it sets anything up", async () => {
  await using person = await Person.create();
  await using refused = person.startOnTerminal(["run", "--", "echo", "it-ran"]);
  await refused.printed(/\[.*[yn].*\]/i);
  await refused.write("n\r");
  const end = await refused.finished();
  assert.notEqual(end.code, 0);
  assert.doesNotMatch(end.stdout, /^it-ran/m);
  await assert.rejects(person.read(".firma/firma.toml"));

  await using accepted = person.startOnTerminal(["run", "--", "echo", "it-ran"]);
  await accepted.printed(/\[.*[yn].*\]/i);
  await accepted.write("y\r");
  assert.equal((await accepted.finished()).code, 0);

  await using silent = person.startOnTerminal(["run", "--", "echo", "it-ran"]);
  const later = await silent.finished();
  assert.equal(later.code, 0);
  assert.equal(later.stdout.trim(), "it-ran");
});

Deno.test("firma run leaves no process and no run directory behind", async () => {
  await using person = await Person.create();
  await person.shell("true");
  assert.deepEqual(await person.processes(), []);
  assert.deepEqual(await person.runDirectories(), []);
});

Deno.test("firma run refuses a .firma that nobody trusted, until somebody does", async () => {
  await using world = await makeWorld();
  const { person } = world;
  const refused = await person.firma(["run", "--yes", "--", "echo", "it-ran"]);
  assert.notEqual(refused.code, 0);
  assert.equal(refused.stdout, "");
  assert.match(refused.stderr, /firma trust/);

  assert.equal((await person.firma(["trust"])).code, 0);
  const trusted = await person.firma(["run", "--yes", "--", "echo", "it-ran"]);
  assert.deepEqual([trusted.code, trusted.stdout], [0, "it-ran\n"], trusted.stderr);

  await person.write(".firma/firma.toml", await person.read(".firma/firma.toml") + "\n# edited\n");
  const changed = await person.firma(["run", "--yes", "--", "echo", "it-ran"]);
  assert.notEqual(changed.code, 0);
  assert.equal(changed.stdout, "");
});

Deno.test("firma shows .firma to the agent as empty, and lets nobody write there", async () => {
  await using world = await makeWorld();
  const { person } = world;
  const look = await person.shell("ls -A .firma; echo x > .firma/firma.toml || echo refused");
  assert.equal(look.stdout, "refused\n");
  assert.match(look.stderr, /Read-only file system/);
  assert.match(await person.read(".firma/firma.toml"), /agent_id/);
});

Deno.test("firma version and firma --help answer; a command that does not exist fails", async () => {
  await using person = await Person.create();
  const version = await person.firma(["version"]);
  assert.equal(version.code, 0);
  assert.match(version.stdout, /\d+\.\d+\.\d+/);
  const help = await person.firma(["--help"]);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /run/);
  const unknown = await person.firma(["rum"]);
  assert.notEqual(unknown.code, 0);
  assert.match(unknown.stderr, /run/);
});
