import assert from "node:assert/strict";
import { join } from "node:path";
import { Person, type Running } from "../fixtures/cli.ts";
import { eventually } from "../fixtures/deadline.ts";

/** An agent that tells what it is asked to do, and does it when told twice. */
const AGENT = ["sh", "-c", "echo ready; while :; do sleep 0.05; done"];

async function nothingLeft(person: Person): Promise<void> {
  await eventually("every process of the run to end", async () => {
    return (await person.processes()).length === 0 ? true : undefined;
  });
  assert.deepEqual(await person.runDirectories(), []);
}

async function start(person: Person, command: readonly string[] = AGENT): Promise<Running> {
  const running = person.start(["run", "--yes", "--", ...command]);
  await running.printed(/ready/);
  return running;
}

/** The process of firma with this subcommand. */
async function processOf(person: Person, subcommand: string): Promise<number> {
  return await eventually(`a process ${subcommand}`, async () => {
    const found = (await person.processes()).filter(({ command }) =>
      command.includes(` ${subcommand} `)
    );
    return found.length === 1 ? found[0]!.pid : undefined;
  });
}

/** The process that runs `firma run`: scripts that started it have become it. */
async function launcher(person: Person): Promise<number> {
  return await processOf(person, "run --yes");
}

for (const [signal, number] of [["SIGTERM", 15], ["SIGHUP", 1]] as const) {
  Deno.test(`firma run ends everything on ${signal}`, async () => {
    await using person = await Person.create();
    const running = await start(person);
    Deno.kill(running.pid, signal);
    assert.equal((await running.finished()).code, 128 + number);
    await nothingLeft(person);
  });
}

Deno.test("firma run goes on after SIGHUP where it was started to ignore it", async () => {
  await using person = await Person.create();
  await using running = person.startUnder(
    ["sh", "-c", 'trap "" HUP; exec "$@"', "sh"],
    ["run", "--yes", "--", "sh", "-c", 'echo ready; read -r line; echo "$line"'],
  );
  await running.printed(/ready/);
  Deno.kill(await launcher(person), "SIGHUP");
  await running.write("still here\n");
  const { code, stdout } = await running.finished();
  assert.equal(code, 0);
  assert.match(stdout, /still here/);
});

Deno.test("firma run leaves Ctrl-C to the agent", async () => {
  await using person = await Person.create();
  const running = await start(person, [
    "sh",
    "-c",
    "trap 'echo mine; exit 5' TERM; echo ready; while :; do sleep 0.05; done",
  ]);
  for (const signal of ["SIGINT", "SIGQUIT"] as const) Deno.kill(await launcher(person), signal);
  Deno.kill(await launcher(person), "SIGTERM");
  const { code, stdout } = await running.finished();
  assert.match(stdout, /mine/);
  assert.equal(code, 128 + 15);
});

Deno.test("firma run stops before there is an agent when it is interrupted", async () => {
  await using person = await Person.create();
  const server = { host: "api.firma.test", address: "127.0.0.1:9", certificate: "" };
  await person.configure({ servers: [server] });
  // A Sidecar that waits for what nobody writes never becomes ready.
  const roots = join(person.project, `.firma/${server.host}.pem`);
  await Deno.remove(roots);
  assert.ok((await new Deno.Command("mkfifo", { args: [roots] }).output()).success);
  const running = person.start(["run", "--trust", "--yes", "--", "echo", "it-ran"]);
  await processOf(person, "__sidecar");
  await eventually(
    "the run to begin",
    async () => (await person.runDirectories()).length > 0 || undefined,
  );
  Deno.kill(running.pid, "SIGINT");
  const { code, stdout } = await running.finished();
  assert.deepEqual([code, stdout], [130, ""]);
  await nothingLeft(person);
});

Deno.test("firma run killed takes agent and Sidecar with it", async () => {
  await using person = await Person.create();
  const running = await start(person);
  Deno.kill(await launcher(person), "SIGKILL");
  await running.finished();
  await eventually("every process of the run to end", async () => {
    return (await person.processes()).length === 0 ? true : undefined;
  });
  // The next run clears what is left, once it is old enough not to be a run that starts.
  const [left] = await person.runDirectories();
  const long = new Date(Date.now() - 3_600_000);
  await Deno.utime(join(person.stateDir, "run", left!), long, long);
  assert.equal((await person.firma(["run", "--yes", "--", "true"])).code, 0);
  assert.deepEqual(await person.runDirectories(), []);
  // Nor is anything left in the workspace of what it was sealed with.
  assert.deepEqual([...Deno.readDirSync(person.project)].map(({ name }) => name), [".firma"]);
});

Deno.test("firma run tells when its Sidecar dies, and lets the agent go on with no way out", async () => {
  await using person = await Person.create();
  await using running = await start(person, [
    "sh",
    "-c",
    `echo ready; read line
     curl -sS --max-time 120 https://registry.invalid/ 2>&1 && echo got-out
     echo went-on; exit 6`,
  ]);
  Deno.kill(await processOf(person, "__sidecar"), "SIGKILL");
  await running.printed(/firma: the Sidecar ended \(signal SIGKILL\): every call .* fails/);
  await running.write("go\n");
  const { code, stdout, stderr } = await running.finished();
  assert.equal(code, 6, stderr);
  assert.match(stdout, /went-on/);
  assert.doesNotMatch(stdout, /got-out/);
  assert.equal(stderr.match(/the Sidecar ended/g)?.length, 1);
  const log = /its log is (\S+)/.exec(stderr)?.[1];
  assert.ok(log && (await Deno.stat(log)).isFile);
  await nothingLeft(person);
});

Deno.test("firma run reports why a Sidecar does not start", async () => {
  await using person = await Person.create();
  await person.configure({ rules: "[[rules]]\nhost = 1\n" });
  const { code, stdout, stderr } = await person.firma(["run", "--trust", "--", "echo", "it-ran"]);
  assert.deepEqual([code, stdout], [1, ""]);
  assert.match(stderr, /test\.toml/);
  await nothingLeft(person);
});

Deno.test("firma run refuses to start inside of a sandbox", async () => {
  await using person = await Person.create();
  const nested = await person.firma(["run", "--yes", "--", "true"], {
    env: { FIRMA_RUN_SANDBOX_ID: "sbx_x" },
  });
  assert.equal(nested.code, 1);
  assert.match(nested.stderr, /FIRMA_RUN_SANDBOX_ID is set/);
  assert.deepEqual([...Deno.readDirSync(person.project)], []);
});

// Attack: whoever lists processes reads the secrets of the agent.
Deno.test("firma run puts no environment on a command line", async () => {
  await using person = await Person.create();
  await using running = person.start(
    ["run", "--yes", "--profile", "codex", "--", ...AGENT],
    { env: { OPENAI_API_KEY: "sk-very-secret" } },
  );
  await running.printed(/ready/);
  const processes = await person.processes();
  assert.ok(processes.length >= 3);
  for (const { command } of processes) assert.doesNotMatch(command, /sk-very-secret/);
  running.kill("SIGTERM");
  await running.finished();
});
