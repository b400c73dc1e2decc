import assert from "node:assert/strict";
import { join } from "node:path";
import { placedKeys } from "../config/placed_keys.ts";
import { readConfigFile } from "../../src/config/load.ts";
import { fileKey } from "../../src/config/paths.ts";
import { parseConfig } from "../../src/config/schema.ts";
import { setKey } from "../../src/config/toml_edit.ts";
import { recordTrust } from "../../src/config/trust.ts";
import type { CredentialConfig } from "../../src/config/keys/credentials/credential.ts";
import type { ExecutionEvent } from "../../src/core/event.ts";
import { LiveCredentials } from "../../src/sidecar/credentials/live_credentials.ts";
import type { CredentialTarget } from "../../src/sidecar/credentials/request_judge.ts";
import { err, ok, type Result, unwrap } from "../../src/core/result.ts";
import { LiveConfig } from "../../src/sidecar/live_config.ts";
import { withLive } from "../../src/sidecar/live_keys.ts";
import { prepare } from "../../src/sidecar/prepare.ts";
import { workerConfig } from "../../src/sidecar/settings.ts";
import type { MappingSource, WorkerConfig } from "../../src/sidecar/worker/messages.ts";
import { eventually } from "../fixtures/deadline.ts";
import { trust } from "../fixtures/trust.ts";
import { Rig } from "./rig.ts";

const AGENT = '[sidecar.authority]\nagent_id = "agt_00000000000000000000000000"\n';

/** A configuration that is followed, and a data plane that only remembers what it was told. */
async function followed(text = AGENT, hasKeeper = true) {
  const dir = await Deno.realPath(await Deno.makeTempDir());
  const env = { XDG_DATA_HOME: join(dir, "data") };
  const file = join(dir, ".firma/firma.toml");
  await Deno.mkdir(join(dir, ".firma"));
  await Deno.writeTextFile(file, text);
  const notices: string[] = [];
  const notify = (_: string, text: string) => notices.push(text);
  const digest = unwrap(readConfigFile(file)).digest;
  const runDirectory = join(dir, "run");
  const groundwork = await prepare({
    configFile: file,
    configDigest: digest,
    runDirectory,
    env,
    notify,
  });
  assert.ok(groundwork.ok);
  groundwork.value.spare?.end();
  const set: { config: WorkerConfig; mapping: readonly MappingSource[] }[] = [];
  const mappings: (readonly MappingSource[])[] = [];
  const plane = {
    rules: 0,
    setConfig: (config: WorkerConfig, mapping: readonly MappingSource[]) => {
      set.push({ config, mapping });
      return Promise.resolve(ok(undefined));
    },
    setMapping: (mapping: readonly MappingSource[]) => {
      mappings.push(mapping);
      return Promise.resolve(ok(undefined));
    },
  };
  const events: ExecutionEvent[] = [];
  const brokered: (readonly string[])[] = [];
  const targets: (readonly CredentialTarget[])[] = [];
  const broker = {
    replace: (credentials: readonly CredentialConfig[]) => {
      brokered.push(credentials.map(({ label }) => label));
      return Promise.resolve(subject.brokerStarts);
    },
    retire: () => {},
  };
  const subject = { brokerStarts: ok(undefined) as Result<void> };
  const credentials = new LiveCredentials(
    groundwork.value.config.sidecar.credentials,
    {
      setCredentials: (set) => {
        targets.push(set);
        return Promise.resolve();
      },
    },
    hasKeeper ? broker : undefined,
  );
  const live = LiveConfig.start({
    groundwork: groundwork.value,
    plane,
    credentials,
    record: (event) => events.push(event) > 0,
    env,
    isMonitorAllowed: false,
    notify,
  });
  return {
    dir,
    file,
    env,
    live,
    digest,
    set,
    mappings,
    subject,
    credentials,
    brokered,
    targets,
    configEvents: () =>
      events.flatMap((event) =>
        event.kind === "config" ? [{ ...event, event_id: "", timestamp: "" }] : []
      ),
    told: (pattern: RegExp) => eventually(`${pattern}`, () => notices.find((t) => pattern.test(t))),
    notices,
    async edit(text: string) {
      await Deno.writeTextFile(`${file}.new`, text);
      await Deno.rename(`${file}.new`, file);
    },
    async [Symbol.asyncDispose]() {
      await live.close();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

// Attack: something that writes as the operator, such as a program of the project's, changes what
// holds for the agent that runs.
Deno.test("LiveConfig puts nothing in force that nobody trusts, and what is trusted at once", async () => {
  await using subject = await followed();
  await subject.edit(`${AGENT}[sidecar.connector]\nidle_timeout = "7m"\n`);
  await subject.told(/is not in force: nobody trusts it \(read it, then: firma trust /);
  assert.deepEqual([subject.set, subject.live.digest], [[], subject.digest]);
  trust(subject.file, subject.env);
  await subject.told(/changed: sidecar\.connector\.idle_timeout in force now$/);
  assert.equal(subject.set.at(-1)!.config.timeouts.idleMs, 420_000);
  assert.equal(subject.live.digest, unwrap(readConfigFile(subject.file)).digest);
});

Deno.test("LiveConfig says of the rest that it takes a restart, until it is taken back", async () => {
  await using subject = await followed();
  const live = '[sidecar.connector]\nidle_timeout = "7m"\n';
  await subject.edit(`${AGENT}[authority]\nmax_ttl = "5m"\n${live}[run]\nprofile = "codex"\n`);
  trust(subject.file, subject.env);
  await subject.told(/changed: authority\.max_ttl in force after the Sidecar starts again$/);
  await subject.told(/changed: run\.profile in force from the next run on$/);
  assert.equal(subject.set.length, 1);
  // Who asks for the configuration as it is now does not get a Sidecar that serves half of it.
  assert.equal(subject.live.digest, subject.digest);
  await subject.edit(`${AGENT}${live}`);
  trust(subject.file, subject.env);
  const now = unwrap(readConfigFile(subject.file)).digest;
  await eventually("the whole file to be in force", () => subject.live.digest === now || undefined);
  assert.equal(subject.set.length, 1);
});

Deno.test("LiveConfig refuses what cannot be used, and follows mappings that are new", async () => {
  await using subject = await followed();
  await subject.edit(`${AGENT}[sidecar.connector]\nidle_timeout = "soon"\n`);
  // Nobody can trust what is not valid with `firma trust`.
  const read = unwrap(readConfigFile(subject.file));
  unwrap(recordTrust(read, [], "command", subject.env));
  await subject.told(
    /is refused: .*firma\.toml:4:1: Cannot use "sidecar\.connector\.idle_timeout"/,
  );

  await subject.edit(`${AGENT}[sidecar.mapping]\nrules_paths = ["../own.toml"]\n`);
  await Deno.writeTextFile(join(subject.dir, "own.toml"), "");
  trust(subject.file, subject.env);
  // Attack: a mapping where the agent writes.
  await subject.told(/is refused: Cannot use "\/.*\/own\.toml" in sessions that run/);

  await subject.edit(`${AGENT}[sidecar.mapping]\nrules_paths = ["own.toml"]\n`);
  const own = join(subject.dir, ".firma/own.toml");
  await Deno.writeTextFile(own, "");
  trust(subject.file, subject.env);
  await subject.told(/changed: sidecar\.mapping\.rules_paths in force now$/);
  assert.deepEqual(subject.set, [{
    config: subject.set[0]!.config,
    mapping: [{ file: own, text: "" }],
  }]);
  await Deno.writeTextFile(own, "# edited\n");
  await eventually("the edit of the mapping", () => subject.mappings.length > 0 || undefined);
});

Deno.test("LiveConfig goes on with what is in force where it cannot find out who trusts a file", async () => {
  await using subject = await followed();
  const trustDirectory = join(subject.env.XDG_DATA_HOME, "firma/trust");
  await Deno.mkdir(trustDirectory, { recursive: true });
  const record = join(trustDirectory, `${fileKey(subject.file)}.json`);
  await Deno.mkdir(record);
  await subject.edit(`${AGENT}[sidecar.connector]\nidle_timeout = "7m"\n`);
  await subject.told(/cannot be followed: Cannot read what you trust in .*: Is a directory/);
  await Deno.remove(record);
  trust(subject.file, subject.env);
  await subject.told(/sidecar\.connector\.idle_timeout in force now$/);
});

const CREDENTIAL = `
[sidecar.credentials.code]
provider = "file"
path = "token"
hosts = ["api.code.test"]
`;
const CHANGED = { added: ["code"], changed: [], removed: [] };
const AWAY: Result<void> = err({ code: "CREDENTIAL_BROKER_AWAY", message: "Cannot change" });

Deno.test("LiveConfig changes credentials without another data plane, and says which on record", async () => {
  await using subject = await followed();
  await subject.edit(AGENT + CREDENTIAL);
  trust(subject.file, subject.env);
  await subject.told(/^Credentials that are in force now: code added$/);
  assert.deepEqual([subject.brokered, subject.set], [[["code"]], []]);
  assert.deepEqual(subject.targets[0]!.map(({ label }) => label), ["code"]);
  const { digest } = unwrap(readConfigFile(subject.file));
  await eventually("the digest", () => subject.live.digest === digest || undefined);
  const applied = subject.configEvents().filter(({ change }) => change === "applied");
  assert.deepEqual(applied.map(({ keys, credentials }) => ({ keys, credentials })), [
    { keys: ["sidecar.credentials"], credentials: CHANGED },
  ]);
  assert.deepEqual(await subject.live.reach(digest, [], 1), ok(undefined));
  // The same again, with another secret in the file.
  assert.deepEqual(await subject.live.reach(digest, ["code"], 1), ok(undefined));
  assert.deepEqual(subject.brokered, [["code"], ["code"]]);
  assert.notEqual(subject.targets[0]![0]!.edition, subject.targets[1]![0]!.edition);
  const missed = await subject.live.reach("another digest", [], 1);
  assert.ok(!missed.ok && missed.error[0]!.code === "CONFIG_CHANGED");
});

Deno.test("LiveConfig leaves everything as it was where no broker starts for new credentials", async () => {
  await using subject = await followed();
  subject.subject.brokerStarts = AWAY;
  await subject.edit(`${AGENT}[sidecar.connector]\nidle_timeout = "7m"\n${CREDENTIAL}`);
  trust(subject.file, subject.env);
  await subject.told(/is refused: Cannot change$/);
  // What had been put in force with them is taken back.
  const idle = subject.set.map(({ config }) => config.timeouts.idleMs);
  assert.deepEqual([idle.length, idle[0], subject.targets], [2, 420_000, []]);
  assert.notEqual(idle[1], 420_000);
  assert.deepEqual([subject.live.digest, subject.credentials.inForce], [subject.digest, []]);
  assert.match(subject.configEvents().at(-1)!.detail, /^Cannot change$/);
});

Deno.test("LiveConfig leaves credentials to the next start where nobody may start a broker", async () => {
  await using subject = await followed(AGENT, false);
  await subject.edit(AGENT + CREDENTIAL);
  trust(subject.file, subject.env);
  await subject.told(/changed: sidecar\.credentials in force after the Sidecar starts again$/);
  const { digest } = unwrap(readConfigFile(subject.file));
  const reached = await subject.live.reach(digest, [], 5_000);
  assert.ok(!reached.ok && reached.error[0]!.code === "CONFIG_WAITS");
  assert.deepEqual([subject.live.digest, subject.brokered], [subject.digest, []]);
});

const DEFAULTS = { projectDataDir: "/data", auditFile: "/audit", authorityKey: "/key" };

async function meaning(text: string): Promise<string> {
  const parse = (text: string) => {
    const config = parseConfig(text, "/p/.firma/firma.toml", DEFAULTS);
    assert.ok(config.ok, JSON.stringify(config));
    return config.value;
  };
  const config = withLive(parse(AGENT), parse(text));
  const hosts = config.sidecar.connector.hosts.map((host) => ({ ...host, caCertPath: undefined }));
  const certificates = config.sidecar.connector.hosts.map(({ caCertPath }) => caCertPath);
  const connector = { ...config.sidecar.connector, hosts };
  const worker = await workerConfig({ ...config, sidecar: { ...config.sidecar, connector } });
  return JSON.stringify([worker, config.sidecar.mapping.rulesPaths, certificates]);
}

Deno.test("withLive() takes over what keys say applies at once, and nothing else", async () => {
  for (const { name, key } of placedKeys()) {
    if (name === "sidecar.authority.agent_id" || name.startsWith("action_classes")) continue;
    if (name.includes("[]")) {
      const isLive = name.startsWith("sidecar.connector.hosts[]");
      assert.equal(key.applies, isLive ? "live" : "restart", name);
      continue;
    }
    const set = setKey(AGENT, name.split(".") as [string, ...string[]], key.example!);
    const parsed = set.ok && parseConfig(set.value, "/p/.firma/firma.toml", DEFAULTS).ok;
    if (!parsed) continue; // means something beside others alone
    const differs = await meaning(unwrap(set)) !== await meaning(AGENT);
    assert.equal(differs, key.applies === "live", name);
  }
  const hosts = '[[sidecar.connector.hosts]]\nhost = "a.test"\nca_cert_path = "a.pem"\n';
  assert.notEqual(await meaning(`${AGENT}${hosts}`), await meaning(AGENT));
});

Deno.test("a Sidecar that runs decides by an edit of firma.toml that is trusted", async () => {
  await using rig = await Rig.start();
  const session = await rig.session();
  assert.equal((await session.curl("/echo")).status, 200);
  const file = `${rig.dir}/firma.toml`;
  const text = await Deno.readTextFile(file);
  await Deno.writeTextFile(`${rig.dir}/mappings/other.toml`, "");
  await Deno.writeTextFile(
    file,
    text.replace(/rules_paths = \[[^\]]*\]/, 'rules_paths = ["mappings/other.toml"]'),
  );
  await eventually("the notice", () => rig.notices(/nobody trusts it/)[0]);
  assert.equal((await session.curl("/echo")).status, 200);
  trust(file, { XDG_DATA_HOME: `${rig.dir}/data` });
  await eventually("the edit to hold", async () => {
    const { status, reason } = await session.curl("/echo");
    return status === 403 && reason === "UnclassifiedIntent" ? true : undefined;
  });
});
