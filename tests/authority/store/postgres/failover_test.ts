import assert from "node:assert/strict";
import type { BundleUpdate } from "../../../../src/core/authority.ts";
import { newId } from "../../../../src/core/id.ts";
import { unwrap } from "../../../../src/core/result.ts";
import { readPublicKeyFile } from "../../../../src/pki/signing_key.ts";
import { RemoteAuthority } from "../../../../src/authority/client/remote_authority.ts";
import { Person, type Running } from "../../../fixtures/cli.ts";
import { eventually } from "../../../fixtures/deadline.ts";
import { content, FORBID, Listener, PERMIT } from "../../support.ts";
import { newSchema, openPostgres, sharedServer, useServer } from "./support.ts";

useServer();

/** A machine with an Authority; all of a group have one key and one database. */
class Machine implements AsyncDisposable {
  readonly person: Person;
  #server: Running | undefined;

  private constructor(person: Person) {
    this.person = person;
  }

  static async create(schema: string, key: string, bundleTtl: string): Promise<Machine> {
    const machine = new Machine(await Person.create());
    await machine.person.write(
      ".firma/firma.toml",
      `[authority]
key_file = "${key}"
bundle_ttl = "${bundleTtl}"

[authority.store]
kind = "postgres"
schema = "${schema}"
`,
    );
    await machine.policies(PERMIT);
    await machine.person.write(".firma/issuance-policies/issuance.cedar", PERMIT);
    await machine.firma("trust");
    return machine;
  }

  get #env() {
    return { FIRMA_DATABASE_URL: sharedServer().url() };
  }

  get endpoint(): string {
    return `unix://${this.person.stateDir}/authority.sock`;
  }

  /** What the Authority that runs now has said. */
  get said(): string {
    return this.#server?.stderr ?? "";
  }

  async start(): Promise<void> {
    this.#server = this.person.start(["authority"], { env: this.#env });
    await this.#server.printed(/authority ready/);
    assert.doesNotMatch(this.said, /Cannot/);
  }

  async kill(): Promise<void> {
    this.#server?.kill("SIGKILL");
    await this.#server?.finished();
  }

  async firma(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.person.firma(args, { env: this.#env });
    assert.equal(code, 0, stderr);
    return stdout.trim();
  }

  policies(text: string): Promise<void> {
    return this.person.write(".firma/policies/dev.cedar", text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
    await this.person[Symbol.asyncDispose]();
  }
}

/** Two Authorities, not started, and what their Sidecars have. */
async function group(bundleTtl = "30s") {
  const stack = new AsyncDisposableStack();
  const keys = await Deno.makeTempDir({ prefix: "firma-keys-" });
  stack.defer(() => Deno.remove(keys, { recursive: true }));
  const key = `${keys}/authority.key`;
  const schema = newSchema();
  const a = stack.use(await Machine.create(schema, key, bundleTtl));
  const b = stack.use(await Machine.create(schema, key, bundleTtl));
  await a.firma("authority", "generate-key", "--output", key);
  const agentId = await a.firma("authority", "agents", "add", "builder");
  const sidecar = async (...machines: Machine[]) => {
    const remote = unwrap(
      await RemoteAuthority.open({
        endpoints: machines.map(({ endpoint }) => endpoint),
        publicKey: unwrap(await readPublicKeyFile(`${key}.pub`)),
        minBackoffMs: 20,
        maxBackoffMs: 200,
      }),
    );
    stack.defer(() => remote.close());
    return remote;
  };
  const issue = (remote: RemoteAuthority, sessionId: string = newId("ses")) =>
    remote.issueCapability({
      agentId,
      sessionId,
      requestedActions: ["code.read"],
      resourceScope: ["**"],
      requestedTtlSeconds: 60,
    });
  return { a, b, schema, sidecar, issue, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function inForce(heard: readonly BundleUpdate[], text: string): Promise<void> {
  await eventually(`the policies ${text}`, () => {
    return content(heard.findLast(({ kind }) => kind === "bundle")) === text || undefined;
  });
}

Deno.test("SIGKILL of either Authority under load loses no token, revocation or bundle", async () => {
  await using machines = await group();
  const { a, b, schema } = machines;
  await a.start();
  await b.start();
  const remote = await machines.sidecar(a, b);
  const sessions = new Set<string>();
  const revoked: string[] = [];
  let isOver = false;
  const load = Array.from({ length: 4 }, async () => {
    while (!isOver) {
      const session = newId("ses");
      const answer = await machines.issue(remote, session);
      if (answer.granted) sessions.add(session);
      else assert.equal(answer.denyReason, "AUTHORITY_UNAVAILABLE");
    }
  });
  const more = async () => {
    const before = sessions.size;
    await eventually("more tokens", () => sessions.size > before + 20 || undefined);
  };
  {
    await using bundles = new Listener((signal) => remote.watchPolicyBundle(signal));
    await using lists = new Listener((signal) => remote.watchRevocations(signal));
    const revoke = async (machine: Machine) => {
      const tokenId = newId("ctok");
      await machine.firma("authority", "revocations", "add", tokenId);
      revoked.push(tokenId);
      await eventually(
        `the revocation of ${tokenId}`,
        () => lists.heard.at(-1)!.some((each) => each.tokenId === tokenId) || undefined,
      );
    };
    await inForce(bundles.heard, PERMIT);
    await more();
    await revoke(a);

    await a.kill();
    await more();
    await revoke(b);
    await b.policies(`${FORBID}// by b\n`);
    await inForce(bundles.heard, `${FORBID}// by b\n`);

    // It comes back with the directory that it had, which is old now.
    await a.start();
    await b.kill();
    await more();
    await revoke(a);
    await a.policies(`${FORBID}// by a\n`);
    await inForce(bundles.heard, `${FORBID}// by a\n`);

    assert.deepEqual(lists.heard.at(-1)!.map(({ tokenId }) => tokenId).sort(), revoked.sort());
    const stated = bundles.heard.flatMap((update) => update.kind === "bundle" ? update.bundle : []);
    const texts = stated.map(({ policies }) => policies[0]!.text);
    const changes = texts.filter((text, i) => text !== texts[i - 1]);
    assert.deepEqual(changes, [PERMIT, `${FORBID}// by b\n`, `${FORBID}// by a\n`]);
    const revisions = stated.map(({ revision }) => revision);
    assert.deepEqual(revisions, revisions.toSorted((x, y) => x - y));
    isOver = true;
    await Promise.all(load);
  }
  const recorded = await sharedServer().sql(`SELECT session_id FROM ${schema}.tokens`);
  const known = new Set(recorded.split("\n"));
  assert.deepEqual([...sessions].filter((session) => !known.has(session)), []);
});

Deno.test("without PostgreSQL Authorities issue nothing and vouch for nothing, until it is back", async () => {
  const ttlMs = 2_000;
  await using machines = await group(`${ttlMs}ms`);
  const { a, b } = machines;
  const server = sharedServer();
  await a.start();
  await b.start();
  const remote = await machines.sidecar(a);
  {
    await using bundles = new Listener(async function* (signal) {
      for await (const update of remote.watchPolicyBundle(signal)) yield { update, at: Date.now() };
    });
    await using lists = new Listener((signal) => remote.watchRevocations(signal));
    const renewed = async () => {
      const before = bundles.heard.length;
      await eventually("renewals", () => bundles.heard.length > before + 2 || undefined);
    };
    await renewed();
    await eventually("the revocations", () => lists.heard.length > 0 || undefined);
    const first = await machines.issue(remote);
    assert.ok(first.granted);

    await server.stop("SIGKILL");
    await eventually("the loss to be told", () => /trying again/.test(a.said) || undefined);
    const refused = await machines.issue(remote);
    assert.ok(!refused.granted);
    assert.equal(refused.denyReason, "AUTHORITY_UNAVAILABLE");
    assert.match(refused.denyMessage, /\[unavailable\] STORE_UNREACHABLE/);
    await eventually(
      "the bundle to be stale",
      () => Date.now() - bundles.heard.at(-1)!.at > 2 * ttlMs || undefined,
    );
    // Whoever asks the other one now does not take its last word for what holds now.
    const late = await machines.sidecar(b);
    await using others = new Listener((signal) => late.watchPolicyBundle(signal));
    await using otherLists = new Listener((signal) => late.watchRevocations(signal));
    await eventually("what it knew", () => otherLists.heard.length > 0 || undefined);
    assert.deepEqual(others.heard, []);
    assert.ok(Date.now() - bundles.heard.at(-1)!.at > ttlMs, "still stale");
    assert.equal(lists.heard.length, 1, "nothing was forgotten");

    await server.start();
    await renewed();
    await eventually("the other one, too", () => others.heard.length > 2 || undefined);
    assert.ok(others.heard.every(({ kind }) => kind !== "gone"));
    await eventually("a token", async () => (await machines.issue(remote)).granted || undefined);
  }
});

Deno.test("firma authority shows the password of its database nowhere", async () => {
  await using machines = await group();
  const { a } = machines;
  const secret = "hunter2-7f3a";
  await sharedServer().sql(`CREATE ROLE guarded LOGIN SUPERUSER PASSWORD '${secret}'`);
  const url = sharedServer().url({ user: "guarded" }).replace(
    "postgres://",
    `postgres://:${secret}@`,
  );
  const env = { FIRMA_DATABASE_URL: url };
  await using server = a.person.start(["authority"], { env });
  await server.printed(/authority ready/);
  const commandLines = (await a.person.processes()).map(({ command }) => command).join("\n");
  assert.match(commandLines, /authority/, "the control");
  assert.doesNotMatch(commandLines, /hunter2/);
  const { code } = await a.person.firma(["authority", "agents", "list"], { env });
  assert.equal(code, 0);
  const wrong = await a.person.firma(["authority", "agents", "list"], {
    env: { FIRMA_DATABASE_URL: url.replace("5432", "99999") },
  });
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /its port is none/);
  server.kill("SIGTERM");
  const { stdout, stderr } = await server.finished();
  assert.doesNotMatch(stdout + stderr + wrong.stderr + wrong.stdout, /hunter2/);
  const store = await openPostgres(machines.schema);
  assert.equal((await store.listAgents()).length, 1);
  await store.close();
});
