import assert from "node:assert/strict";
import { verifyLog } from "../../src/audit/verify.ts";
import { unwrap } from "../../src/core/result.ts";
import { listApprovals, ruleApproval } from "../../src/daemon/approvals.ts";
import { askControl } from "../../src/daemon/control_client.ts";
import { readPublicKeyFile } from "../../src/pki/signing_key.ts";
import { eventually } from "../fixtures/deadline.ts";
import { HOST, Rig } from "./rig.ts";

const ASKING = `
@id("may") permit (principal, action, resource);
@id("ask") @step_up("Write it?") forbid (principal, action in [Firma::Action::"code.write"], resource);
`;

const WRITE = ["--request", "POST", "--data", "amount=1"] as const;
const VIA = { verb: "approve", via: "cli" } as const;

/** What a problem document in `body` waits for. */
function waitsFor({ body, reason }: { readonly body: string; readonly reason: string }): string {
  assert.equal(reason, "StepUpRequired");
  return JSON.parse(body).approval_id;
}

Deno.test("a Sidecar lets out once what a person approved, and the log tells who that was", async () => {
  await using rig = await Rig.start({ policy: ASKING });
  const sockets = [`${rig.dir}/run/control.sock`];
  const session = await rig.session();
  const id = waitsFor(await session.curl("/echo?key=hunter2", ...WRITE));
  assert.equal(waitsFor(await session.curl("/echo?key=hunter2", ...WRITE)), id);
  await eventually("the notice", () => session.told.length > 0 || undefined);
  assert.match(JSON.stringify(session.told), new RegExp(`firma token approve ${id}`));
  const [row] = await listApprovals(sockets);
  assert.deepEqual([row!.approval_id, row!.state, row!.questions], [id, "pending", ["Write it?"]]);
  assert.match(row!.shown, /body +8 bytes, SHA-256 [0-9a-f]{64}/);

  const ruled = unwrap(await ruleApproval(sockets, id, { ...VIA, reason: "fine" }));
  assert.equal(ruled.state, "approved");
  const twice = await ruleApproval(sockets, id, VIA);
  assert.ok(!twice.ok && twice.error.code === "APPROVAL_DECIDED");
  const changed = await session.curl(
    "/echo?key=hunter2",
    "--request",
    "POST",
    "--data",
    "amount=2",
  );
  assert.notEqual(waitsFor(changed), id);
  const other = await rig.session();
  assert.notEqual(waitsFor(await other.curl("/echo?key=hunter2", ...WRITE)), id);
  assert.equal(rig.upstream.seen.length, 0, "a call left that nobody approved");
  const allowed = await session.curl("/echo?key=hunter2", ...WRITE);
  assert.equal(allowed.status, 200, allowed.body);
  assert.notEqual(waitsFor(await session.curl("/echo?key=hunter2", ...WRITE)), id);
  assert.equal(rig.upstream.seen.length, 1);

  const events = await rig.events();
  const story = events.flatMap((event) =>
    event.kind === "approval" && event.approval_id === id ? [event] : []
  );
  assert.deepEqual(story.map(({ change }) => change), ["requested", "approved", "used"]);
  assert.deepEqual([story[1]!.by?.uid, story[1]!.by?.via], [Deno.uid(), "cli"]);
  assert.equal(story[1]!.detail, "fine");
  assert.match(story[1]!.shown, new RegExp(`POST https://${HOST}/echo\\?key=\\[REDACTED\\]`));
  const publicKey = unwrap(await readPublicKeyFile(`${rig.dir}/data/firma/keys/audit.key.pub`));
  const report = unwrap(await verifyLog(rig.auditFile, { publicKeys: [publicKey] }));
  assert.equal(report.broken, undefined);
});

Deno.test("a Sidecar holds a call for a person where it is told to, and ends that with the session", async () => {
  await using rig = await Rig.start({
    policy: ASKING,
    more: '[sidecar.approvals]\nhitl_mode = "sync_wait"\n',
  });
  const sockets = [`${rig.dir}/run/control.sock`];
  const session = await rig.session();
  const waiting = async () =>
    await eventually(
      "a call that waits",
      async () => (await listApprovals(sockets)).find(({ state }) => state === "pending"),
    );
  const held = session.curl("/echo", ...WRITE);
  unwrap(await ruleApproval(sockets, (await waiting()).approval_id, VIA));
  assert.equal((await held).status, 200);
  const refused = session.curl("/echo", ...WRITE);
  const { approval_id: id } = await waiting();
  unwrap(await ruleApproval(sockets, id, { verb: "deny", via: "web" }));
  assert.equal((await refused).reason, "PolicyDenied");
  const orphaned = session.curl("/echo", "--request", "POST", "--data", "amount=3");
  await waiting();
  assert.equal((await rig.control("POST", `/v1/sessions/${session.id}/end`, {})).status, 204);
  assert.notEqual((await orphaned).status, 200);
  assert.deepEqual(await listApprovals(sockets), []);
});

Deno.test("nothing but the control socket approves, and not without saying who asks", async () => {
  await using rig = await Rig.start({ policy: ASKING });
  const control = `${rig.dir}/run/control.sock`;
  const session = await rig.session();
  const id = waitsFor(await session.curl("/echo", ...WRITE));
  const path = `/v1/approvals/${id}/approve`;
  const request = (
    proof: unknown,
  ) => ({ method: "POST", path, body: { proof, via: "cli" } } as const);
  // What programs ask at, which an operator may hand to one.
  const asked = await askControl(`${rig.dir}/run/decision.sock`, request(undefined));
  assert.ok(!asked.ok);
  // The agent's own way in: names of the control API are hosts like any other there.
  for (
    const url of [`http://sidecar${path}`, `http://127.0.0.1${path}`, `http://localhost${path}`]
  ) {
    const { status } = await session.curl(url, "--request", "POST", "--data", "{}");
    assert.equal(status, 403, url);
  }
  await Deno.writeTextFile(`${rig.dir}/run/proof-open`, "", { mode: 0o600 });
  const old = `proof-${crypto.randomUUID()}`;
  await Deno.writeTextFile(`${rig.dir}/run/${old}`, "", { mode: 0o600 });
  await Deno.utime(`${rig.dir}/run/${old}`, 0, 0);
  const open = `proof-${crypto.randomUUID()}`;
  await Deno.writeTextFile(`${rig.dir}/run/${open}`, "");
  await Deno.chmod(`${rig.dir}/run/${open}`, 0o644);
  const link = `proof-${crypto.randomUUID()}`;
  await Deno.symlink("/etc/passwd", `${rig.dir}/run/${link}`);
  const proofs = [undefined, "", "proof-open", `../run/${old}`, old, open, link, "control.sock"];
  for (const proof of [...proofs, `proof-${crypto.randomUUID()}`]) {
    const answer = await askControl(control, request(proof));
    assert.ok(!answer.ok && answer.error.code === "APPROVER_UNKNOWN", String(proof));
  }
  waitsFor(await session.curl("/echo", ...WRITE));
  unwrap(await ruleApproval([control], id, VIA)); // the control
  assert.equal((await session.curl("/echo", ...WRITE)).status, 200);
});
