import assert from "node:assert/strict";
import { join } from "node:path";
import { newId } from "../../src/core/id.ts";
import { RemoteAuthority } from "../../src/authority/client/remote_authority.ts";
import { readPublicKeyFile } from "../../src/pki/signing_key.ts";
import { unwrap } from "../../src/core/result.ts";
import { Person } from "../fixtures/cli.ts";
import { ALLOWED, API_HOST, DENIED, makeWorld } from "../fixtures/world.ts";
import { eventually } from "../fixtures/deadline.ts";

const PERMIT = '@id("permit") permit (principal, action, resource);\n';

/** A person with the configuration of an Authority, trusted. */
async function operator(config = "[authority]\n"): Promise<Person> {
  const person = await Person.create();
  await person.write(".firma/policies/dev.cedar", PERMIT);
  await person.write(".firma/issuance-policies/issuance.cedar", PERMIT);
  await person.write(".firma/firma.toml", config);
  const { code, stderr } = await person.firma(["trust"]);
  assert.equal(code, 0, stderr);
  return person;
}

function mode(path: string): number {
  return (Deno.statSync(path).mode ?? 0) & 0o777;
}

async function client(person: Person): Promise<RemoteAuthority> {
  const key = await readPublicKeyFile(join(person.dataDir, "keys/authority.key.pub"));
  return unwrap(
    await RemoteAuthority.open({
      endpoints: [`unix://${person.stateDir}/authority.sock`],
      publicKey: unwrap(key),
    }),
  );
}

Deno.test("firma authority serves on a socket of its own, and follows what other commands change", async () => {
  await using person = await operator();
  await using server = person.start(["authority"]);
  await server.printed(/authority ready/);
  const said = server.stderr;
  for (const line of [/config loaded: /, /policy bundle loaded: /, /listening on unix:\/\//]) {
    assert.match(said, line);
  }
  assert.equal(mode(`${person.stateDir}/authority.sock`), 0o600);
  assert.equal(mode(join(person.dataDir, "keys/authority.key")), 0o600);
  const remote = await client(person);
  const agentId = newId("agt");
  const ask = () =>
    remote.issueCapability({
      agentId,
      sessionId: "session",
      requestedActions: ["code.read"],
      resourceScope: ["**"],
      requestedTtlSeconds: 0,
    });
  const reason = async () => {
    const answer = await ask();
    return answer.granted ? "granted" : answer.denyReason;
  };
  assert.equal(await reason(), "AGENT_NOT_REGISTERED");
  assert.equal((await person.firma(["authority", "agents", "add", "a", "--id", agentId])).code, 0);
  assert.equal(await reason(), "granted");
  const log = await Deno.readTextFile(await tokenLog(person));
  const tokenId = /"token_id":"(ctok_\w+)"/.exec(log)![1]!;
  assert.equal((await person.firma(["authority", "revocations", "add", tokenId])).code, 0);
  await eventually("the refusal", async () => await reason() === "SESSION_REVOKED" || undefined);
  const { stdout } = await person.firma(["authority", "revocations", "list", "--json"]);
  assert.equal(JSON.parse(stdout)[0].reason, "operator-revoked");
  assert.equal((await person.firma(["authority", "revocations", "remove", tokenId])).code, 0);
  await eventually("the grant", async () => await reason() === "granted" || undefined);

  const second = await person.firma(["authority"]);
  assert.equal(second.code, 1);
  assert.match(second.stderr, /somebody listens there already/);
  assert.equal(await reason(), "granted", "the first goes on");

  server.kill("SIGTERM");
  assert.equal((await server.finished()).code, 0);
  await assert.rejects(Deno.lstat(`${person.stateDir}/authority.sock`));
  await remote.close();
});

async function tokenLog(person: Person): Promise<string> {
  const projects = join(person.dataDir, "projects");
  const [project] = await Array.fromAsync(Deno.readDir(projects), ({ name }) => name);
  return join(projects, project!, "authority/tokens.jsonl");
}

Deno.test("firma authority starts nothing that anybody on the machine could use", async (t) => {
  await t.step("not on TCP without mutual TLS", async () => {
    await using person = await operator('[authority]\nlisten_addr = "127.0.0.1:0"\n');
    const { code, stderr } = await person.firma(["authority"]);
    assert.equal(code, 1);
    assert.match(stderr, /without mutual TLS.*tls_cert_path.*authorized_clients_path/);
    assert.match(stderr, /cure: .*init-tls/);
  });
  await t.step("not what nobody trusts", async () => {
    await using person = await operator();
    await person.write(".firma/firma.toml", '[authority]\nmax_ttl = "2h"\n');
    for (const command of [["authority"], ["authority", "agents", "list"]]) {
      const { code, stderr } = await person.firma(command);
      assert.equal(code, 1);
      assert.match(stderr, /it changed since you trusted it/);
    }
  });
});

Deno.test("firma authority makes keys and certificates for their owner alone, and replaces none", async (t) => {
  await using person = await operator();
  const commands: Record<string, [string[], string[]]> = {
    "generate-key": [["-o", "k.key"], ["k.key"]],
    "init-tls": [["--out-dir", "tls"], ["tls/ca.key", "tls/server.key", "tls/client.key"]],
    "generate-client-ca": [["--cert-out", "c.crt", "--key-out", "c.key"], ["c.key"]],
  };
  for (const [name, [flags, keys]] of Object.entries(commands)) {
    await t.step(name, async () => {
      const made = await person.firma(["authority", name, ...flags]);
      assert.equal(made.code, 0, made.stderr);
      const before = await Promise.all(keys.map((key) => person.read(key)));
      for (const [i, key] of keys.entries()) {
        assert.equal(mode(join(person.project, key)), 0o600);
        const secret = before[i]!.split("\n")[1]!;
        assert.ok(!(made.stdout + made.stderr).includes(secret), "never printed");
      }
      const again = await person.firma(["authority", name, ...flags]);
      assert.equal(again.code, 1);
      assert.match(again.stderr, /it is there already/);
      assert.deepEqual(await Promise.all(keys.map((key) => person.read(key))), before);
      const forced = await person.firma(["authority", name, ...flags, "--force"]);
      assert.equal(forced.code, 0, forced.stderr);
      assert.notDeepEqual(await Promise.all(keys.map((key) => person.read(key))), before);
      for (const key of keys) assert.equal(mode(join(person.project, key)), 0o600);
    });
  }
});

Deno.test("firma authority issue writes a token that the issuance policies permit, or says why not", async () => {
  await using person = await operator();
  const agent = newId("agt");
  const issue = (...flags: string[]) =>
    person.firma(["authority", "issue", "--agent-id", agent, "-o", "seed.toml", ...flags]);
  const issued = await issue("--action", "code.read", "--ttl-seconds", "60");
  assert.equal(issued.code, 0, issued.stderr);
  assert.match(issued.stdout, /^ctok_\w{26}\n$/);
  assert.equal(mode(join(person.project, "seed.toml")), 0o600);
  assert.match(await person.read("seed.toml"), /^action_set = \["code.read"\]$/m);
  await person.write(
    ".firma/issuance-policies/issuance.cedar",
    `${PERMIT}forbid (principal, action in [Firma::Action::"payment.transfer"], resource);\n`,
  );
  const refused = await issue("--action", "payment.transfer", "--force");
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /permit none of the actions/);
  const unknown = await issue("--action", "code.everything", "--force");
  assert.match(unknown.stderr, /"code.everything" is not registered/);
  const added = await person.firma(["authority", "agents", "add", "builder"]);
  const named = ["--agent-id", "builder", "--action", "code.read", "-o", "named.toml"];
  assert.equal((await person.firma(["authority", "issue", ...named])).code, 0);
  assert.ok((await person.read("named.toml")).includes(`agent_id = "${added.stdout.trim()}"`));
});

/** What becomes of calls is looked at by programs, which the gate would not let run. */
const CALLS_ALONE = '\n[run.sidecar_local_exec]\ngate = "off"\n';

Deno.test("firma run under an Authority of its own process: an agent outlives it until the policies are stale, and not its token", async () => {
  await using world = await makeWorld();
  const { person } = world;
  const toml = await person.read(".firma/firma.toml");
  const agent = /agent_id = "(\w+)"/.exec(toml)![1]!;
  const url = `unix://${person.stateDir}/authority.sock`;
  const client = toml.replace(/agent_id = .*/, `$&\nurl = "${url}"`);
  await person.write(".firma/firma.toml", client + CALLS_ALONE);
  // What lies beside the project decides nothing.
  await person.write(".firma/policies/dev.cedar", "forbid (principal, action, resource);\n");
  const cwd = join(person.project, "server");
  const posture = await Deno.readTextFile("packs/postures/dev.cedar");
  await person.write("server/.firma/policies/dev.cedar", posture);
  await person.write("server/.firma/issuance-policies/issuance.cedar", PERMIT);
  await person.write("server/.firma/firma.toml", '[authority]\nbundle_ttl = "20s"\n');
  const operate = async (...args: string[]) => {
    const { code, stderr } = await person.firma(args, { cwd });
    assert.equal(code, 0, stderr);
  };
  await operate("trust");
  await operate("authority", "agents", "add", "builder", "--id", agent);
  const serve = async () => {
    const server = person.start(["authority"], { cwd });
    await server.printed(/authority ready/);
    return server;
  };
  const server = await serve();

  const call = `curl -sS ${ALLOWED}/x; echo; sleep 0.2`;
  const loop = `curl -sS ${DENIED}/x; echo; while :; do ${call}; done`;
  await using running = person.start(["run", "--trust", "--yes", "--", "sh", "-c", loop]);
  await running.printed(/hello from \/allowed\/x/);
  assert.match(running.stdout, /"reason":"PolicyDenied"/, "by the Authority's policies");
  const allowed = async (after: number) =>
    (await person.events()).find((event) =>
      event.seq > after && event.kind === "decision" && event.decision === "ALLOW"
    );

  server.kill("SIGKILL");
  await server.finished();
  const killed = (await person.events()).at(-1)!.seq;
  await eventually("a call without the Authority", () => allowed(killed));
  await running.printed(/"reason":"PolicyBundleStale"/);
  const stale = (await person.events()).at(-1)!.seq;
  await using _again = await serve();
  const { token_id } = Object(await eventually("a call with it", () => allowed(stale)));

  await operate("authority", "revocations", "add", token_id);
  await running.printed(/"reason":"TokenRevoked"/);
  running.kill("SIGTERM");
  await running.finished();
});

Deno.test("firma run takes the token of a capability file, hides it, and refuses an edited one", async () => {
  await using world = await makeWorld();
  const { person } = world;
  const toml = await person.read(".firma/firma.toml");
  await person.write(".firma/firma.toml", toml + CALLS_ALONE);
  assert.equal((await person.firma(["trust"])).code, 0);
  const scope = `${API_HOST}/allowed/**`;
  const issue = ["authority", "issue", "--action", "code.read", "--resource-scope", scope];
  const issued = await person.firma([...issue, "-o", "seed.toml"]);
  assert.equal(issued.code, 0, issued.stderr);
  const run = (script: string) =>
    person.firma(["run", "--capability-file", "seed.toml", "--", "sh", "-c", script]);
  const fetch = (url: string) => `curl -sS -o /dev/null -w '%{http_code} ' ${url}`;
  const used = await run(
    `${fetch(`${ALLOWED}/x`)}; ${fetch(`${DENIED}/x`)}; cat seed.toml | wc -c`,
  );
  assert.equal(used.stdout.trim(), "200 403 0", used.stderr);
  const decisions = (await person.events()).filter((event) => event.kind === "decision");
  assert.deepEqual(
    decisions.map(({ token_id, deny_reason }) => [token_id, deny_reason]),
    [[issued.stdout.trim(), ""], ["", "ToolNotInScope"]],
  );
  const text = await person.read("seed.toml");
  await person.write("seed.toml", text.replace('["code.read"]', '["code.read", "payment.payout"]'));
  const refused = await run("true");
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /Cannot use the capability file ".*seed.toml": "action_set"/);
});

Deno.test("firma authority on a terminal serves without the permissions that it gave up, and asks for none", async () => {
  await using person = await operator();
  await using server = person.startOnTerminal(["authority"]);
  await server.printed(/authority ready/);
  const remote = await client(person);
  // It answers after it gave the permissions up, and asks nobody to give them back.
  const answer = await remote.issueCapability({
    agentId: newId("agt"),
    sessionId: "session",
    requestedActions: ["code.read"],
    resourceScope: ["**"],
    requestedTtlSeconds: 0,
  });
  assert.ok(!answer.granted && answer.denyReason === "AGENT_NOT_REGISTERED");
  assert.doesNotMatch(server.stdout + server.stderr, /Allow\?|permission/i);
  await remote.close();
});
