import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { join } from "node:path";
import type { AuditState } from "../../src/audit/writer.ts";
import { type ActionClassEntry, setOperatorClasses } from "../../src/core/action_class.ts";
import type { ExecutionEvent } from "../../src/core/event.ts";
import { unwrap } from "../../src/core/result.ts";
import { cedarBytes, cedarSize } from "../../src/policy/cedar_module.ts";
import { AuditFeed, type AuditTarget } from "../../src/sidecar/audit_feed.ts";
import { DataPlane } from "../../src/sidecar/data_plane.ts";
import { SESSION_SLOTS, SocketPool } from "../../src/sidecar/socket_pool.ts";
import { DEADLINE_MS, eventually } from "../fixtures/deadline.ts";
import { writeAll } from "../../src/net/write_all.ts";
import { proxyHeader } from "../fixtures/front_client.ts";
import { bundle, on } from "../policy/support.ts";
import { claims, mapping, POLICY, RULES } from "./pipeline/support.ts";

/** A log in memory that is always written. */
class MemoryLog implements AuditTarget {
  readonly state: AuditState = "ok";
  readonly events: ExecutionEvent[] = [];
  #written: (count: number) => void = () => {};
  append(event: ExecutionEvent): boolean {
    this.events.push(event);
    queueMicrotask(() => this.#written(this.events.length));
    return true;
  }
  onChange(): void {}
  onAcknowledged(listener: (count: number) => void): void {
    this.#written = listener;
  }
}

/** A time until which a bundle is fresh, for every test long enough. */
const LONG_FRESH = Date.now() + 86_400_000;

/** A port that no outgoing connection is given: while nobody listens there, it stays free. */
function freePort(): number {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

interface PlaneRig extends AsyncDisposable {
  readonly plane: DataPlane;
  readonly log: MemoryLog;
  readonly notices: string[];
  /** Sessions whose way in was lost for good. */
  readonly lost: string[];
}

async function start(
  rules = RULES,
  actionClasses: readonly ActionClassEntry[] = [],
  readCedar = cedarBytes,
): Promise<PlaneRig> {
  const dir = await Deno.makeTempDir();
  const log = new MemoryLog();
  const notices: string[] = [];
  const lost: string[] = [];
  const started = await DataPlane.start({
    config: {
      actionClasses,
      connectors: [],
      bypassHosts: [],
      defaultProtected: true,
      maxSecretAnswerBytes: 0,
      maxBodyBytes: 1024,
      timeouts: { connectMs: DEADLINE_MS, headersMs: DEADLINE_MS, idleMs: DEADLINE_MS },
      auditCapacity: 64,
      httpProxy: { host: "127.0.0.1", port: freePort() },
    },
    mapping: [{ file: "rules.toml", text: rules }],
    sockets: new SocketPool(join(dir, "w0")),
    cedar: { size: cedarSize, read: readCedar },
    audit: new AuditFeed(log),
    leaf: () => Promise.reject(new Error("no certificates here")),
    notify: (_level, text) => notices.push(text),
    lost: (sessionId) => lost.push(sessionId),
  });
  if (!started.ok) throw new Error(JSON.stringify(started.error));
  const plane = started.value;
  return {
    plane,
    log,
    notices,
    lost,
    async [Symbol.asyncDispose]() {
      plane.stop();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

function sessionBase(sessionId: string) {
  return {
    sessionId,
    sandboxId: "sbx",
    agentId: "agt",
    startedMs: Date.now(),
    claims: [
      claims({
        session_id: sessionId,
        issued_at: "2020-01-01T00:00:00Z",
        expiry: "2099-01-01T00:00:00Z",
      }),
    ],
  };
}

/** Sends one plain HTTP request by way of a front socket; the status, or 0. */
async function ask(socket: string, target = "http://unmapped.test/"): Promise<number> {
  try {
    using conn = await Deno.connect({ transport: "unix", path: socket });
    await conn.write(proxyHeader());
    const host = new URL(target).host;
    const request = `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    await conn.write(new TextEncoder().encode(request));
    const buffer = new Uint8Array(4096);
    const size = await conn.read(buffer);
    const text = new TextDecoder().decode(buffer.subarray(0, size ?? 0));
    return Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

Deno.test("DataPlane rebuilds its worker with every session, its state and its policy", async () => {
  await using rig = await start();
  const { plane } = rig;
  unwrapOk(await plane.setBundle(bundle(POLICY), LONG_FRESH));
  plane.setRevoked([]);
  const sockets: string[] = [];
  for (const id of ["ses_a", "ses_b"]) {
    sockets.push(unwrap(await plane.openSession(sessionBase(id))).socket!);
  }
  for (const socket of sockets) assert.equal(await ask(socket), 403);
  assert.equal(await ask(sockets[0]!), 403);
  for (let round = 0; round < 3; round++) {
    plane.replace("the test says so");
    for (const socket of sockets) {
      await eventually(
        "the new worker to serve",
        async () => await ask(socket) === 403 || undefined,
      );
    }
  }
  // What the worker decided comes to this thread on its own way, perhaps after the answer.
  for (const [id, count] of [["ses_a", 5], ["ses_b", 4]] as const) {
    await eventually(
      `${count} denied calls of ${id}`,
      () => plane.sessionState(id).denyCount >= count || undefined,
    );
    assert.equal(plane.sessionState(id).denyCount, count);
  }
  const last = rig.log.events.at(-1)!;
  assert.ok(last.kind === "decision");
  assert.equal(last.deny_reason, "UnclassifiedIntent");
  assert.equal(last.bundle_version, bundle(POLICY).version);
  assert.equal(rig.notices.length, 3);
});

Deno.test("DataPlane denies while revocations cannot be heard, whichever worker it has", async () => {
  await using rig = await start();
  const { plane, log } = rig;
  unwrapOk(await plane.setBundle(bundle("forbid (principal, action, resource);"), LONG_FRESH));
  plane.setRevoked([]);
  const socket = unwrap(await plane.openSession(sessionBase("ses_a"))).socket!;
  const reason = async () => {
    const before = log.events.length;
    if (await ask(socket, "http://registry.test/a") !== 403) return undefined;
    const record = () => log.events.slice(before).find(({ kind }) => kind === "decision");
    const event = await eventually("the record", record);
    return event.kind === "decision" ? event.deny_reason : undefined;
  };
  assert.equal(await reason(), "PolicyDenied", "the control");
  plane.setRevocationsHeard(false);
  assert.equal(await reason(), "RevocationCacheNotReady");
  plane.setRevoked([]); // as a token that is renewed brings about
  assert.equal(await reason(), "RevocationCacheNotReady");
  plane.replace("the test says so");
  assert.equal(await eventually("the new worker", reason), "RevocationCacheNotReady");
  plane.setRevocationsHeard(true);
  assert.equal(await reason(), "PolicyDenied");
});

Deno.test("DataPlane lets nothing out while Cedar cannot be read, and decides once it can be", async () => {
  let isThere = false;
  await using rig = await start(
    undefined,
    undefined,
    () => isThere ? cedarBytes() : Promise.reject(new Deno.errors.NotFound()),
  );
  const { plane, log } = rig;
  const policies = bundle("forbid (principal, action, resource);");
  plane.setRevoked([]);
  assert.equal((await plane.setBundle(policies, LONG_FRESH)).ok, false);
  assert.equal(plane.bundleVersion, "");
  isThere = true;
  unwrapOk(await plane.setBundle(policies, LONG_FRESH));
  const socket = unwrap(await plane.openSession(sessionBase("ses_a"))).socket!;
  assert.equal(await ask(socket, "http://registry.test/a"), 403);
  const record = () => log.events.find(({ kind }) => kind === "decision");
  const event = await eventually("the record", record);
  assert.equal(event.kind === "decision" && event.deny_reason, "PolicyDenied");
});

/** Makes the worker break off in the middle of what it does, as a mistake of its own would. */
function crash(plane: DataPlane): void {
  plane.setRevoked(5 as unknown as string[]); // no list: carrying that out throws
  plane.setRevoked([]); // what the next worker is told
}

Deno.test("DataPlane loses no counter of ten busy sessions to crashes, and lets nothing out meanwhile", async () => {
  await using rig = await start();
  const { plane, log } = rig;
  unwrapOk(await plane.setBundle(bundle(POLICY), LONG_FRESH));
  plane.setRevoked([]);
  const ids = Array.from({ length: 10 }, (_, n) => `ses_${n}`);
  const sockets = await Promise.all(
    ids.map(async (id) => unwrap(await plane.openSession(sessionBase(id))).socket!),
  );
  const answered = new Map(ids.map((id) => [id, 0]));
  let crashes = 0;
  const busy = Promise.all(ids.map(async (id, n) => {
    while (crashes < 2) {
      const status = await ask(sockets[n]!);
      assert.ok(status === 403 || status === 0, String(status));
      if (status === 403) answered.set(id, answered.get(id)! + 1);
      else await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }));
  for (; crashes < 2; crashes++) {
    const before = new Map(answered);
    await eventually(
      "calls of every session",
      () => ids.every((id) => answered.get(id)! > before.get(id)!) || undefined,
    );
    const seen = rig.notices.length;
    crash(plane);
    await eventually("the end of the worker", () => rig.notices.length > seen || undefined);
  }
  await busy;
  assert.deepEqual(rig.notices.filter((text) => !/starts again/.test(text)), []);
  const counts = (id: string) => {
    const own = log.events.filter((event) => event.session_id === id && event.kind === "decision");
    return { recorded: own.length, folded: plane.sessionState(id) };
  };
  for (const id of ids) {
    // An answer may be there before its record is read, and a record without any answer.
    await eventually(
      `the records of ${id}`,
      () => counts(id).recorded >= answered.get(id)! || undefined,
    );
    const { recorded, folded } = counts(id);
    assert.deepEqual([folded.actionCount, folded.denyCount], [recorded, recorded]);
  }
  assert.equal(plane.openCalls, 0);
});

/** Asks by way of the proxy, with a name and a password; the status, or 0. */
async function askByProxy(port: number, user: string): Promise<number> {
  try {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port });
    const credentials = btoa(user);
    await writeAll(
      conn,
      new TextEncoder().encode(
        "GET http://unmapped.test/ HTTP/1.1\r\nHost: unmapped.test\r\n" +
          `Proxy-Authorization: Basic ${credentials}\r\nConnection: close\r\n\r\n`,
      ),
    );
    const buffer = new Uint8Array(4096);
    const size = await conn.read(buffer);
    const text = new TextDecoder().decode(buffer.subarray(0, size ?? 0));
    return Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

const SECRET = { names: ["ses_a"], digest: hash("sha256", "password", "buffer") };

Deno.test("DataPlane lets a session in by the proxy again after a crash, at the same place", async () => {
  await using rig = await start();
  const { plane } = rig;
  unwrapOk(await plane.setBundle(bundle(POLICY), LONG_FRESH));
  plane.setRevoked([]);
  const { port } = unwrap(await plane.openSession(sessionBase("ses_a"), SECRET)).proxy!;
  assert.equal(await askByProxy(port, "ses_a:password"), 403);
  assert.equal(await askByProxy(port, "ses_a:guess"), 407);
  crash(plane);
  await eventually(
    "the proxy",
    async () => await askByProxy(port, "ses_a:password") === 403 || undefined,
  );
  assert.ok(plane.sessionState("ses_a").denyCount >= 2);
  await plane.closeSession("ses_a");
  assert.equal(await askByProxy(port, "ses_a:password"), 0);
  unwrap(await plane.openSession(sessionBase("ses_a"), SECRET));
});

// Attack: a program that waits for the port, to be told the passwords of whoever comes.
Deno.test("DataPlane gives sessions up whose proxy somebody else listens in place of", async () => {
  await using rig = await start();
  const { plane } = rig;
  const { port } = unwrap(await plane.openSession(sessionBase("ses_a"), SECRET)).proxy!;
  unwrap(await plane.openSession(sessionBase("ses_b")));
  plane.replace("the test says so");
  using _thief = await eventually("the port", () => {
    try {
      return Deno.listen({ hostname: "127.0.0.1", port });
    } catch {
      return undefined;
    }
  });
  await eventually("the loss", () => rig.lost.length > 0 || undefined);
  assert.deepEqual(rig.lost, ["ses_a"]);
  assert.ok(rig.notices.some((text) => /no way in any more.*another program listens/.test(text)));
});

Deno.test("DataPlane finishes what it was doing when its worker ended", async () => {
  await using rig = await start();
  const { plane } = rig;
  const applying = plane.setBundle(bundle(POLICY), LONG_FRESH);
  const opening = plane.openSession(sessionBase("ses_a"));
  await Promise.resolve();
  plane.replace("in the middle of it");
  unwrapOk(await applying);
  const socket = unwrap(await opening).socket!;
  plane.setRevoked([]);
  await eventually("the session", async () => await ask(socket) === 403 || undefined);
  const closing = plane.closeSession("ses_a");
  plane.replace("in the middle of the end");
  await closing;
  assert.equal(await ask(socket), 0);
});

Deno.test("DataPlane keeps the bundle in force when the next one is not valid", async () => {
  await using rig = await start();
  const { plane } = rig;
  unwrapOk(await plane.setBundle(bundle(POLICY), LONG_FRESH));
  const refused = await plane.setBundle(
    { ...bundle("permit (principal, action, resource;"), revision: 2, version: "broken" },
    LONG_FRESH,
  );
  assert.equal(refused.ok, false);
  assert.equal(plane.bundleVersion, bundle(POLICY).version);
});

Deno.test("DataPlane.setMapping() replaces the worker only when other hosts are named", async () => {
  await using rig = await start();
  const { plane } = rig;
  const sameHosts =
    `${RULES}\n[[rules]]\nhost = "registry.test"\npath = "/x"\naction_class = "code.read"\n`;
  assert.ok((await plane.setMapping([{ file: "rules.toml", text: sameHosts }])).ok);
  assert.equal(plane.rules, mapping(sameHosts).size);
  assert.deepEqual(rig.notices, []);
  const otherHosts = `${RULES}\n[[rules]]\nhost = "other.test"\naction_class = "code.read"\n`;
  assert.ok((await plane.setMapping([{ file: "rules.toml", text: otherHosts }])).ok);
  assert.equal(rig.notices.length, 1);
  const refused = await plane.setMapping([{ file: "rules.toml", text: "[[rules]]\n" }]);
  assert.equal(refused.ok, false);
  assert.equal(plane.rules, mapping(otherHosts).size);
});

Deno.test("DataPlane tells a worker that is starting what changed meanwhile", async () => {
  await using rig = await start();
  const { plane } = rig;
  // The worker has been sent the first mapping and has not said anything yet.
  const text =
    `${RULES}\n[[rules]]\nhost = "registry.test"\npath = "/x"\naction_class = "code.write"\n`;
  assert.ok((await plane.setMapping([{ file: "rules.toml", text }])).ok);
  plane.setRevoked([]);
  unwrapOk(await plane.setBundle(bundle(POLICY), LONG_FRESH));
  const socket = unwrap(await plane.openSession(sessionBase("ses_a"))).socket!;
  assert.equal(await ask(socket, "http://registry.test/x"), 403);
  const last = await eventually("the event", () => rig.log.events.at(-1));
  assert.ok(last.kind === "decision");
  assert.deepEqual([last.action_class, last.deny_reason], ["code.write", "PolicyDenied"]);
});

Deno.test("DataPlane refuses the session for which there is no socket", async () => {
  await using rig = await start();
  const open = (n: number) => rig.plane.openSession(sessionBase(`ses_${n}`));
  for (let n = 0; n < SESSION_SLOTS; n++) unwrap(await open(n));
  const refused = await open(SESSION_SLOTS);
  assert.ok(!refused.ok && refused.error.code === "TOO_MANY_SESSIONS");
  await rig.plane.closeSession("ses_7");
  unwrap(await open(SESSION_SLOTS));
});

Deno.test("DataPlane decides by classes that the operator defined", async () => {
  const own = {
    name: "deploy.production",
    parent: "code.read",
    domain: "code",
    risk: "low",
    meaning: "Deploy",
  } as const;
  setOperatorClasses([own]);
  try {
    const rules = '[[rules]]\nhost = "deploy.test"\naction_class = "deploy.production"\n';
    await using rig = await start(rules, [own]);
    const policies = `permit ${on("deploy.production")};`;
    unwrapOk(await rig.plane.setBundle(bundle(policies), Date.now() + 60_000));
  } finally {
    setOperatorClasses([]);
  }
  const unknown = '[[rules]]\nhost = "deploy.test"\naction_class = "deploy.production"\n';
  await assert.rejects(() => start(unknown), /not in the registry/);
});

Deno.test("DataPlane.start() says what is wrong with the mapping", async () => {
  await assert.rejects(() => start("[[rules]]\n"));
});

function unwrapOk(result: { readonly ok: boolean }): void {
  assert.ok(result.ok, JSON.stringify(result));
}
