import assert from "node:assert/strict";
import { projectDataDir } from "../../src/config/paths.ts";
import { unwrap } from "../../src/core/result.ts";
import { readPublicKeyFile } from "../../src/pki/signing_key.ts";
import { verifyLog } from "../../src/audit/verify.ts";
import { eventually } from "../fixtures/deadline.ts";
import { takesAtMost } from "../fixtures/pace.ts";
import { type CurlAnswer, HOST, POLICY, Rig, type RigSession, RULES } from "./rig.ts";

/** Within what time a change must show (the promise of the design is one second). */
const SOON_MS = 1_000;

async function decides(session: RigSession, wanted: string, path = "/echo"): Promise<void> {
  await eventually(`calls to be decided as "${wanted}"`, async () => {
    const { status, reason } = await session.curl(path);
    return (wanted === "allowed" ? status === 200 : reason === wanted) || undefined;
  });
}

/** Opens a stream; the promise that is given is of its end. */
async function openStream(rig: Rig, session: RigSession): Promise<{ end: Promise<CurlAnswer> }> {
  const streams = () => rig.upstream.seen.filter(({ path }) => path === "/sse").length;
  const before = streams();
  const end = session.curl("/sse", "--no-buffer");
  await eventually("the stream to begin", () => streams() > before || undefined);
  return { end };
}

/** Waits for a notice, and makes sure that it was told once. */
async function toldOnce(rig: Rig, pattern: RegExp): Promise<void> {
  await eventually("the notice", () => rig.notices(pattern)[0]);
  assert.equal(rig.notices(pattern).length, 1);
}

Deno.test("a Sidecar lets out what policy permits, refuses the rest, and signs both", async () => {
  await using rig = await Rig.start();
  const session = await rig.session();
  const allowed = await session.curl("/echo?token=hunter2");
  assert.equal(allowed.status, 200, allowed.stderr);
  assert.equal(JSON.parse(allowed.body).method, "GET");
  const denied = await session.curl("/echo", "--request", "POST", "--data", "x");
  assert.deepEqual([denied.status, denied.reason], [403, "PolicyDenied"]);
  const unmapped = await session.curl("https://unmapped.test/");
  assert.deepEqual([unmapped.status, unmapped.reason], [403, "UnclassifiedIntent"]);
  const local = await session.curl("https://127.0.0.1/");
  assert.deepEqual([local.status, local.reason], [403, "LoopbackBlocked"]);
  const fronted = await session.curl("/echo", "--header", "Host: unmapped.test");
  assert.deepEqual([fronted.status, fronted.reason], [403, "MalformedRequest"]);
  assert.equal(rig.upstream.seen.length, 1, "more than the allowed call left");

  const ended = await rig.control("POST", `/v1/sessions/${session.id}/end`, { exit_code: 3 });
  assert.equal(ended.status, 204);
  const events = await rig.events();
  const told = events.map((event) =>
    event.kind === "decision" ? `${event.decision} ${event.deny_reason}`.trim() : event.kind
  );
  assert.deepEqual(told.filter((kind) => kind !== "key" && kind !== "policy"), [
    "session",
    "ALLOW",
    "outcome",
    "DENY PolicyDenied",
    "DENY UnclassifiedIntent",
    "DENY LoopbackBlocked",
    "DENY MalformedRequest",
    "session",
  ]);
  const allow = events.find((event) => event.kind === "decision");
  assert.ok(allow?.kind === "decision");
  assert.equal(allow.resource, `${HOST}/echo?token=[REDACTED]`);
  assert.deepEqual(allow.envelope?.provenance, {
    pid: 4242,
    executable: "/usr/bin/curl",
    via: "proxy",
  });
  const last = events.at(-1)!;
  assert.ok(last.kind === "session" && last.exit_code === 3);
  const publicKey = unwrap(await readPublicKeyFile(`${rig.dir}/data/firma/keys/audit.key.pub`));
  const report = unwrap(await verifyLog(rig.auditFile, { publicKeys: [publicKey] }));
  assert.equal(report.broken, undefined);
});

Deno.test("a Sidecar refuses connections that do not say where they come from", async () => {
  await using rig = await Rig.start();
  const session = await rig.session();
  for (const garbage of ["GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x00\x05hello", "\0".repeat(64)]) {
    const conn = await Deno.connect({ transport: "unix", path: session.socket });
    await conn.write(new TextEncoder().encode(garbage));
    const answer = await new Response(conn.readable).text().catch(() => "");
    assert.doesNotMatch(answer, /200/);
  }
  assert.equal((await session.curl("/echo")).status, 200);
  const event = await rig.event(
    "the refusal",
    (event) => event.kind === "decision" && event.deny_reason === "MalformedRequest",
  );
  assert.equal(event.session_id, session.id);
});

Deno.test("a policy edit changes decisions, and closes open streams, within a second", async () => {
  await using rig = await Rig.start();
  const session = await rig.session();
  await takesAtMost(SOON_MS, async () => {
    const stream = await openStream(rig, session);
    const edited = performance.now();
    await Deno.writeTextFile(rig.policyFile, `forbid (principal, action, resource);\n`);
    await decides(session, "PolicyDenied");
    assert.notEqual((await stream.end).code, 28, "the stream went on until curl gave up");
    const restored = performance.now();
    await Deno.writeTextFile(rig.policyFile, POLICY);
    await decides(session, "allowed");
    return Math.max(restored - edited, performance.now() - restored);
  });
  const outcome = await rig.event(
    "the outcome of the stream",
    (event) => event.kind === "outcome" && /policy now in force denies/.test(event.detail),
  );
  assert.equal(outcome.session_id, session.id);
});

Deno.test("an invalid edit keeps the policy in force and says where it is wrong", async () => {
  await using rig = await Rig.start();
  const session = await rig.session();
  await Deno.writeTextFile(rig.policyFile, `${POLICY}\npermit (principal, action, resource;\n`);
  const [notice] = await eventually("the notice", () => {
    const found = rig.notices(/edit of a policy is refused/);
    return found.length > 0 ? found : undefined;
  });
  assert.match(notice!, /test\.cedar:\d+/);
  assert.equal((await session.curl("/echo")).status, 200);
  assert.equal((await session.curl("/echo", "--data", "x")).reason, "PolicyDenied");
  await rig.event(
    "the record of the refusal",
    (event) => event.kind === "policy" && event.change === "refused",
  );
});

Deno.test("a policy directory that is gone denies everything", async () => {
  await using rig = await Rig.start();
  const session = await rig.session();
  assert.equal((await session.curl("/echo")).status, 200);
  await Deno.remove(`${rig.dir}/policies`, { recursive: true });
  await decides(session, "PolicyBundleNotReady");
  await eventually("the notice", () => rig.notices(/No policy is in force/)[0]);
  await Deno.mkdir(`${rig.dir}/policies`);
  await Deno.writeTextFile(rig.policyFile, POLICY);
  await decides(session, "allowed");
});

Deno.test("an audit log that cannot be written denies everything and tells the operator once", async () => {
  await using rig = await Rig.start();
  const session = await rig.session();
  assert.equal((await session.curl("/echo")).status, 200);
  const directory = `${rig.dir}/data/firma/audit`;
  // The log makes its directory again whenever it is missing, so this may take some tries.
  await eventually("a file where the directory was", async () => {
    try {
      await Deno.remove(directory, { recursive: true });
      await Deno.writeTextFile(directory, "in the way");
      return true;
    } catch {
      return undefined;
    }
  });
  await decides(session, "FailClosed");
  const reached = rig.upstream.seen.length;
  for (let i = 0; i < 3; i++) assert.equal((await session.curl("/echo")).reason, "FailClosed");
  assert.equal(rig.upstream.seen.length, reached);
  await toldOnce(rig, /audit log cannot be written, every call is denied/);
  const refused = await rig.control("POST", "/v1/sessions", {
    sandbox_id: "sbx_01jd8xk5w7e0v9c3b2n4m6q8rs",
    agent_id: "agt_01jd8xk5w7e0v9c3b2n4m6q8rs",
    profile: "generic",
    command: "true",
    workspace: "/",
  });
  assert.equal(refused.status, 503);
  assert.equal((await refused.json()).code, "AUDIT_UNAVAILABLE");

  await Deno.remove(directory);
  await decides(session, "allowed");
  await toldOnce(rig, /audit log can be written again/);
});

Deno.test("a revoked token denies the session and closes its streams at once", async () => {
  await using rig = await Rig.start();
  const other = await rig.session();
  const env = { XDG_DATA_HOME: `${rig.dir}/data` };
  const file = `${
    projectDataDir(env, await Deno.realPath(`${rig.dir}/firma.toml`))
  }/revocations.txt`;
  await takesAtMost(SOON_MS, async () => {
    const session = await rig.session();
    const stream = await openStream(rig, session);
    const since = performance.now();
    const line = `${session.tokenId}\t2026-01-01T00:00:00Z\toperator-revoked\n`;
    await Deno.writeTextFile(file, line, { append: true });
    await decides(session, "TokenRevoked");
    assert.notEqual((await stream.end).code, 28);
    return performance.now() - since;
  });
  assert.equal((await other.curl("/echo")).status, 200, "another session is denied too");
});

Deno.test("a mapping edit takes effect, closes nothing it need not, and resets no counter", async () => {
  await using rig = await Rig.start({
    policy: `${POLICY}
      @id("few") forbid (principal, action, resource) when { context.action_count > 6 };`,
  });
  const session = await rig.session();
  const more = (host: string, name: string) =>
    `${RULES}\n[[rules]]\nhost = "${host}"\nmethod = "PUT"\npath = "/${name}"\naction_class = "code.read"\n`;
  await session.curl("/echo");
  // The same hosts: the worker goes on.
  await Deno.writeTextFile(`${rig.dir}/mappings/test.toml`, more(HOST, "one"));
  await eventually("the mapping", () => rig.notices(/Mapping with \d+ rules is in force/)[0]);
  assert.equal(rig.notices(/data plane starts again/).length, 0);
  // Another host: a worker with other permissions takes over.
  const stream = await openStream(rig, session);
  await Deno.writeTextFile(`${rig.dir}/mappings/test.toml`, more("other.test", "two"));
  await eventually("the new worker", () => rig.notices(/data plane starts again/)[0]);
  assert.notEqual((await stream.end).code, 28);
  await rig.event(
    "the outcome of the stream",
    (event) => event.kind === "outcome" && /data plane ended/.test(event.detail),
  );
  const invalid = `${RULES}\n[[rules]]\nhost = "x.test"\n`;
  for (let call = 3; call <= 6; call++) await decides(session, "allowed");
  await decides(session, "PolicyDenied");
  await Deno.writeTextFile(`${rig.dir}/mappings/test.toml`, invalid);
  const notice = await eventually(
    "the notice",
    () => rig.notices(/edit of a mapping is refused/)[0],
  );
  assert.match(notice, /test\.toml:\d+/);
  await decides(session, "PolicyDenied");
});

Deno.test("a Sidecar drains and ends when its parent is gone, and on SIGTERM", async () => {
  for (const way of ["end", "SIGTERM"] as const) {
    await using rig = await Rig.start();
    const session = await rig.session();
    const stream = await openStream(rig, session);
    const { code } = way === "end" ? await rig.end() : await rig.kill(way);
    assert.equal(code, 0, rig.stderr);
    assert.notEqual((await stream.end).code, 28);
    const events = await rig.events();
    assert.ok(events.some((event) => event.kind === "outcome"));
    const last = events.at(-1)!;
    assert.ok(last.kind === "session" && last.phase === "ended", JSON.stringify(last));
    assert.notEqual((await session.curl("/echo")).status, 200);
  }
});

Deno.test("a Sidecar that is given time to end lets calls come to their end", async () => {
  await using rig = await Rig.start();
  const session = await rig.session();
  const size = 2_000_000;
  const call = session.curl(`/bytes/${size}`, "--limit-rate", "4M", "--output", "/dev/null");
  await eventually(
    "the call",
    () => rig.upstream.seen.some(({ path }) => /bytes/.test(path)) || undefined,
  );
  await rig.order({ type: "drain", timeout_ms: 600_000 });
  const { code, status } = await call;
  assert.deepEqual([code, status], [0, 200]);
  assert.equal((await rig.end()).code, 0);
  const outcome = (await rig.events()).find(({ kind }) => kind === "outcome");
  assert.ok(
    outcome?.kind === "outcome" && outcome.response_bytes === size,
    JSON.stringify(outcome),
  );
});

Deno.test("a Sidecar that is about to end opens no session, and a signal cuts its calls off", async () => {
  await using rig = await Rig.start();
  const session = await rig.session();
  const stream = await openStream(rig, session);
  await rig.order({ type: "drain", timeout_ms: 600_000 });
  const refused = await eventually("the refusal", async () => {
    const response = await rig.control("POST", "/v1/sessions", {
      sandbox_id: "sbx_01jd8xk5w7e0v9c3b2n4m6q8rs",
      agent_id: "agt_01jd8xk5w7e0v9c3b2n4m6q8rs",
      profile: "generic",
      command: "true (0 arguments)",
      workspace: "/p",
    });
    if (response.status === 503) return await response.json();
    await response.body?.cancel().catch(() => {}); // the Sidecar may have closed it
  });
  assert.equal(refused.code, "SIDECAR_DRAINING");
  assert.equal((await rig.kill("SIGTERM")).code, 0);
  await stream.end;
  const kinds = (await rig.events()).map(({ kind }) => kind);
  assert.equal(kinds.filter((kind) => kind === "outcome").length, 1);
});

Deno.test("a Sidecar that is killed leaves no way out", async () => {
  await using rig = await Rig.start();
  const session = await rig.session();
  assert.equal((await session.curl("/echo")).status, 200);
  await rig.kill("SIGKILL");
  const reached = rig.upstream.seen.length;
  for (let i = 0; i < 3; i++) assert.notEqual((await session.curl("/echo")).code, 0);
  assert.equal(rig.upstream.seen.length, reached);
});

Deno.test("a Sidecar that cannot start says why, where, and what to do", async () => {
  await using rig = await Rig.start({
    rules: `[[rules]]\nhost = "x.test"\naction_class = "no.such"\n`,
  });
  const fatal = rig.lines.find(({ type }) => type === "fatal");
  assert.ok(fatal?.error !== undefined, JSON.stringify(rig.lines));
  assert.match(fatal.error.message, /no\.such/);
  assert.equal((await rig.end()).code, 1);
});
