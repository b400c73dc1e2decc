import assert from "node:assert/strict";
import { join } from "node:path";
import { Person } from "../fixtures/cli.ts";
import { eventually } from "../fixtures/deadline.ts";

/** Somebody who has run firma in this project before, so that the next sandbox starts early. */
async function regular(): Promise<Person> {
  const person = await Person.create();
  const { code, stderr } = await person.firma(["run", "--yes", "--", "true"]);
  assert.equal(code, 0, stderr);
  return person;
}

async function isInSandbox(person: Person): Promise<boolean> {
  return (await person.processes()).some(({ command }) => command.includes("bwrap"));
}

async function nothingLeft(person: Person): Promise<void> {
  await eventually("every process of the run to end", async () => {
    return (await person.processes()).length === 0 ? true : undefined;
  });
  assert.deepEqual(await person.runDirectories(), []);
}

/** A Sidecar that waits for what nobody writes never becomes ready. */
async function neverReady(person: Person): Promise<void> {
  const server = { host: "api.firma.test", address: "127.0.0.1:9", certificate: "" };
  await person.configure({ servers: [server] });
  const roots = join(person.project, `.firma/${server.host}.pem`);
  await Deno.remove(roots);
  assert.ok((await new Deno.Command("mkfifo", { args: [roots] }).output()).success);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`a sandbox that started early ends with its run on ${signal}`, async () => {
    await using person = await regular();
    await neverReady(person);
    const running = person.start(["run", "--trust", "--yes", "--", "echo", "it-ran"]);
    await eventually("the outer layer", async () => await isInSandbox(person) || undefined);
    running.kill(signal);
    assert.equal((await running.finished()).stdout, "");
    await nothingLeft(person);
  });
}

Deno.test("a sandbox that started early ends with its run when that is killed", async () => {
  await using person = await regular();
  const running = person.start(["run", "--yes", "--", "sleep", "1000"]);
  await eventually("the outer layer", async () => await isInSandbox(person) || undefined);
  running.kill("SIGKILL");
  await running.finished();
  await eventually("every process of the run to end", async () => {
    return (await person.processes()).length === 0 ? true : undefined;
  });
});

Deno.test("a run that is refused ends its early sandbox, and says nothing of it", async (t) => {
  await using person = await regular();
  await t.step("a command that does not exist", async () => {
    const { code, stderr } = await person.firma(["run", "--yes", "--", "no-such-command"]);
    assert.equal(code, 127);
    assert.match(stderr, /^firma: Cannot run "no-such-command": .*\n {2}cure: .*\n$/);
    await nothingLeft(person);
  });
  await t.step("a Sidecar that is not there", async () => {
    const { code, stderr } = await person.firma(["run", "--no-autostart", "--", "true"]);
    assert.equal(code, 1);
    assert.match(stderr, /^firma: Cannot join a Sidecar: none runs\n {2}cure: .*\n$/);
    await nothingLeft(person);
  });
  await t.step("a configuration that somebody else changed", async () => {
    const file = join(person.project, ".firma/firma.toml");
    await Deno.writeTextFile(file, "\n", { append: true });
    const { code, stderr } = await person.firma(["run", "--yes", "--", "true"]);
    assert.equal(code, 1);
    assert.match(stderr, /^firma: Cannot use .*: it changed since you trusted it/);
    assert.doesNotMatch(stderr, /bwrap/);
    await nothingLeft(person);
  });
});

Deno.test("a sandbox that started early is the same as any other", async () => {
  await using person = await Person.create();
  // Sockets of other programs on this machine are covered: whichever there are just now.
  const seen =
    "cat /proc/self/cgroup | sed 's/sbx_[0-9a-z]*//; s/.*:://'; ulimit -a; ls -A / /run; " +
    "sed 's/sbx_[0-9a-z]*//g; s/ses_[0-9a-z]*//g; s/^[0-9]* [0-9]* [0-9:]* //' " +
    "/proc/self/mountinfo | grep -v '^/null .*[.]sock '; grep -E '^(Cap|No|Sec|Sig)' /proc/self/status";
  const first = await person.shell(seen);
  const early = await person.shell(seen);
  assert.equal(first.code, 0, first.stderr);
  assert.equal(early.stdout.replace("/..", ""), first.stdout);
});
