import assert from "node:assert/strict";
import type { CredentialNeed, Issued } from "../../../src/broker/hand_out.ts";
import { selfCommand } from "../../../src/config/self_command.ts";
import type { IdentityTokenRequest } from "../../../src/core/authority.ts";
import { err, ok, type Result } from "../../../src/core/result.ts";
import type { CliSecretProvider } from "../../../src/secrets/cli/provider.ts";
import { BrokerProcess } from "../../../src/sidecar/credentials/keeper/broker_process.ts";
import { credential, needOf } from "../../broker/_credential.ts";
import { standIn } from "../../fixtures/stand_in.ts";
import { eventually } from "../../fixtures/deadline.ts";

const SECRET = "raw-secret-of-a-process";
const command = [...selfCommand(), "__broker"];

function env(more: Readonly<Record<string, string>>): Record<string, string> {
  const known: Record<string, string> = { ...more };
  for (const name of ["HOME", "PATH", "DENO_DIR"]) {
    const value = Deno.env.get(name);
    if (value !== undefined) known[name] = value;
  }
  return known;
}

const nobody = ({ audience }: IdentityTokenRequest): Promise<Result<string>> =>
  Promise.resolve(err({ code: "NOBODY", message: `Cannot vouch to "${audience}"` }));

function start(
  credentials: readonly ReturnType<typeof credential>[],
  variables: Readonly<Record<string, string>> = {},
  identify = nobody,
  stores: readonly CliSecretProvider[] = [],
) {
  const told: string[] = [];
  const broker = new BrokerProcess({
    start: { command, env: env(variables), credentials, stores },
    identify,
    ended: (how) => told.push(how),
    recovered: () => told.push("recovered"),
  });
  return { broker, told };
}

const stateOf = (outcome: Result<Issued>) => outcome.ok ? "" : outcome.error.message;

Deno.test("__broker hands out, and reaches nothing that no credential names", async () => {
  const dir = await Deno.makeTempDir();
  await Deno.writeTextFile(`${dir}/token`, SECRET, { mode: 0o600 });
  const helper = (words: string[]) => ({
    kind: "command" as const,
    settings: { command: words, output: "raw" as const, env_passthrough: [], max_output: 1_000 },
  });
  const { broker, told } = start([
    credential("file", { kind: "file", settings: { path: `${dir}/token` } }),
    credential("helper", helper(["/bin/echo", SECRET])),
    credential("variable"),
  ], { KEY: SECRET });
  for (const label of ["file", "helper", "variable"]) {
    const outcome = await broker.ask(needOf(label));
    assert.ok(outcome.ok, stateOf(outcome));
    assert.deepEqual(outcome.value.secrets, [SECRET], label);
  }
  assert.match(stateOf(await broker.ask(needOf("file", { host: "evil.test" }))), /not for "evil/);
  assert.match(stateOf(await broker.ask(needOf("none"))), /there is none of that name/);
  if (Deno.build.os === "linux") {
    // No other program of this user may look into its memory, whatever it is asked.
    assert.equal((await Deno.stat(`/proc/${broker.pid}/mem`)).uid, 0);
  }
  await broker.close();
  assert.deepEqual(told, []);
  await Deno.remove(dir, { recursive: true });
});

Deno.test("__broker ends what a store's program has started, when that is late and when it ends itself", async () => {
  const dir = await Deno.makeTempDir();
  const program = `${dir}/pass`;
  // Each in a name of its own: the agent's words say which.
  const script = `#!/bin/sh\nsleep 600 & echo $! >${dir}/new; mv ${dir}/new "${dir}/$2"; wait\n`;
  await Deno.writeTextFile(program, script, { mode: 0o755 });
  const store = { id: "team", preset: "pass", program, names: [], hosts: [] } as const;
  const stores = (timeoutMs: number) => [
    { ...store, envPassthrough: [], timeoutMs, maxOutput: 1_000 },
  ];
  const startedBy = (name: string) =>
    eventually(`${name} to start a program`, () => {
      const pid = readText(`${dir}/${name}`);
      return pid === undefined ? undefined : Number(pid);
    });
  const gone = (pid: number) =>
    eventually(`the end of ${pid}`, () => {
      const state = readText(`/proc/${pid}/status`);
      return state === undefined || /^State:\s+[XZ]/m.test(state) || undefined;
    });
  const { broker } = start([], {}, nobody, stores(1_000));
  const late = await broker.run({ provider: "team", sessionId: "ses_a", args: ["show", "late"] });
  assert.match(late.ok ? "" : late.error.message, /took more than 1 s/);
  await gone(await startedBy("late"));
  await broker.close();

  const { broker: ending } = start([], {}, nobody, stores(600_000));
  const running = ending.run({ provider: "team", sessionId: "ses_a", args: ["show", "running"] });
  const pid = await startedBy("running");
  await ending.close();
  assert.ok(!(await running).ok);
  await gone(pid);
  await Deno.remove(dir, { recursive: true });
});

function readText(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return undefined;
  }
}

Deno.test("a broker that is killed is away, and another one follows", async () => {
  const { broker, told } = start([credential("a")], { KEY: SECRET });
  const ask = (need: CredentialNeed) => broker.ask(need);
  assert.ok((await ask(needOf("a"))).ok);
  const first = broker.pid!;
  Deno.kill(first, "SIGKILL");
  await eventually("its end to be noticed", () => told[0]);
  assert.deepEqual(told, ["signal SIGKILL"]);
  await eventually("another one", async () => (await ask(needOf("a"))).ok || undefined);
  assert.notEqual(broker.pid, first);
  await eventually("word of it", () => told[1]);
  assert.deepEqual(told, ["signal SIGKILL", "recovered"]);
  await broker.close();
});

Deno.test("a broker that cannot start leaves every question answered, and is tried again", async () => {
  const told: string[] = [];
  const broker = new BrokerProcess({
    start: { command: ["/bin/false"], env: {}, credentials: [], stores: [] },
    identify: nobody,
    ended: (how) => told.push(how),
    recovered: () => told.push("recovered"),
    firstRetryMs: 1,
  });
  const outcome = await broker.ask(needOf("a"));
  assert.ok(!outcome.ok);
  assert.equal(outcome.error.code, "CREDENTIAL_BROKER_AWAY");
  await eventually("its end to be noticed", () => told[0]);
  assert.deepEqual(told, ["exit code 1"], "it is told once, however often it is tried");
  await broker.close();
});

Deno.test("__broker asks the Sidecar for the ID tokens that it exchanges", async () => {
  await using server = standIn(({ body }) => {
    const token = new URLSearchParams(body).get("subject_token");
    return token === "header.agt_1-ses_1-sts.signature"
      ? Response.json({
        access_token: "token-for-the-identity",
        issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
        token_type: "Bearer",
        expires_in: 300,
      })
      : Response.json({ error: "invalid_grant" }, { status: 400 });
  });
  const settings = {
    token_url: server.url,
    identity_audience: "sts",
    subject_token_type: "id_token" as const,
    audience: undefined,
    scopes: [],
    ca_file: undefined,
  };
  const credentials = [credential("a", { kind: "token_exchange", settings })];
  const right = start(
    credentials,
    {},
    ({ agentId, sessionId, audience }) =>
      Promise.resolve(ok(`header.${agentId}-${sessionId}-${audience}.signature`)),
  );
  const outcome = await right.broker.ask(needOf("a"));
  assert.ok(outcome.ok, stateOf(outcome));
  assert.deepEqual(outcome.value.secrets, ["token-for-the-identity"]);
  assert.match(
    stateOf(await right.broker.ask(needOf("a", { sessionId: "ses_2" }))),
    /invalid_grant/,
  );
  await right.broker.close();
  const refused = start(credentials);
  assert.equal(stateOf(await refused.broker.ask(needOf("a"))), 'Cannot vouch to "sts"');
  await refused.broker.close();
});

Deno.test("__broker replaces the refresh token that a service takes back, and writes nothing else", async () => {
  const dir = await Deno.makeTempDir();
  const file = `${dir}/refresh`;
  await Deno.writeTextFile(file, "refresh-1", { mode: 0o600 });
  await using server = standIn(({ body }) => {
    const used = new URLSearchParams(body).get("refresh_token");
    return Response.json({
      access_token: `token-for-${used}`,
      refresh_token: "refresh-2",
      token_type: "Bearer",
    });
  });
  const settings = {
    token_url: server.url,
    client_id: "me",
    client_secret_file: undefined,
    client_secret_in: "header" as const,
    client_key_file: undefined,
    client_key_id: undefined,
    refresh_token_file: file,
    scopes: [],
    ca_file: undefined,
  };
  const { broker } = start([credential("a", { kind: "oauth_refresh", settings })]);
  const outcome = await broker.ask(needOf("a"));
  assert.ok(outcome.ok, stateOf(outcome));
  assert.deepEqual(outcome.value.secrets, ["token-for-refresh-1"]);
  assert.equal(await Deno.readTextFile(file), "refresh-2\n");
  await broker.close();
  await Deno.remove(dir, { recursive: true });
});
