import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import type { Execution, SidecarMessage } from "../../src/core/local_exec.ts";
import { SocketReader } from "../../src/net/socket_reader.ts";
import { LocalExecutions } from "../../src/sidecar/exec/executions.ts";
import { SessionTable } from "../../src/sidecar/pipeline/session_table.ts";
import { Standing } from "../../src/sidecar/pipeline/standing.ts";
import { ALICE, type Desk, withDesk } from "../approvals/support.ts";
import { eventually } from "../fixtures/deadline.ts";
import { bundle } from "../policy/support.ts";
import { Events, mapping, NOW_MS, session, SESSION_ID } from "./pipeline/support.ts";

const POLICY = `@id("may") permit (principal, action, resource);
  @id("ask") @step_up("Run it?") 
  forbid (principal, action in [Firma::Action::"filesystem.delete"], resource);`;

const REMOVAL: Execution = {
  pid: 7,
  path: "rm",
  file: "/usr/bin/rm",
  names: ["rm"],
  argv: ["rm", "-rf", "src"],
  argc: 3,
  cwd: "/home/ada/shop",
  environment: {},
};

/** A gate that asks, over approvals of its own. */
class Gate {
  readonly heard: SidecarMessage[] = [];
  readonly events = new Events();
  readonly standing = new Standing(mapping(), true);
  /** In what state the files are that decide what an execution does. */
  files: readonly (readonly [string, string])[] | undefined = [["/usr/bin/rm", "1"]];
  /** Happens while the state of the files is looked at, so many times from the first on. */
  meanwhile: (() => void)[] = [];
  readonly #socket: Duplex;
  readonly #serving: Promise<void>;
  #number = 0;

  constructor(desk: Desk, mode: "sync_wait" | "async_token") {
    this.standing.apply(bundle(POLICY), NOW_MS + 30_000);
    this.standing.revoked = new Set();
    const sessions = new SessionTable();
    sessions.open(session());
    this.#socket = new Duplex({
      read() {},
      write: (bytes, _encoding, done) => {
        for (const line of String(bytes).trimEnd().split("\n")) this.#hear(JSON.parse(line));
        done();
      },
    });
    const config = { mode, maxWaitMs: 60_000, retryAfterMs: 500, redactNames: [] };
    const executions = new LocalExecutions({
      standing: this.standing,
      sessions,
      sink: this.events,
      approvals: { desk: desk.approvals, config },
      now: () => NOW_MS,
    });
    const reader = new SocketReader(this.#socket, undefined, 65_536);
    this.#serving = executions.serve(SESSION_ID, reader, "");
  }

  #hear(message: SidecarMessage): void {
    this.heard.push(message);
    if (message.kind === "state") {
      this.meanwhile.shift()?.();
      this.say({ kind: "stated", number: message.number, files: this.files });
    }
    if (message.kind === "count") this.say({ kind: "counted", number: message.number, files: 3 });
  }

  say(message: unknown): void {
    this.#socket.push(`${JSON.stringify(message)}\n`);
  }

  /** Asks, and gives the number of the question. */
  ask(changes: Partial<Execution> = {}): number {
    this.say({ kind: "ask", number: ++this.#number, execution: { ...REMOVAL, ...changes } });
    return this.#number;
  }

  /** Whether it may run. */
  async answer(number: number): Promise<boolean> {
    const answer = await eventually(
      "an answer",
      () => this.heard.find((message) => message.kind === "answer" && message.number === number),
    );
    assert.ok(answer.kind === "answer");
    assert.equal(answer.standing, undefined, "what a person decided stands for nothing else");
    return answer.allow;
  }

  async runs(changes: Partial<Execution> = {}): Promise<boolean> {
    return await this.answer(this.ask(changes));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.push(null);
    await this.#serving;
  }
}

function withGate(
  mode: "sync_wait" | "async_token",
  test: (gate: Gate, desk: Desk) => Promise<void>,
): Promise<void> {
  return withDesk(async (desk) => {
    await using gate = new Gate(desk, mode);
    await test(gate, desk);
  });
}

const waiting = (desk: Desk) =>
  eventually(
    "something that waits",
    () => desk.approvals.list().find(({ state }) => state === "pending")?.id,
  );

Deno.test("an execution waits for a person, passes once after that, and asks anew", () =>
  withGate("async_token", async (gate, desk) => {
    assert.equal(await gate.runs(), false);
    const id = await waiting(desk);
    assert.equal(await gate.runs({ pid: 8 }), false);
    assert.deepEqual(desk.approvals.list().map((approval) => approval.id), [id]);
    assert.match(desk.events[0]!.shown, /wants to run +rm '-rf' src\n/);
    assert.ok(desk.approve(id).ok);
    const others: Partial<Execution>[] = [
      { argv: ["rm", "-rf", "src", "docs"], argc: 4 },
      { cwd: "/home/ada" },
      { file: "/home/ada/rm" },
      { environment: { LD_PRELOAD: "x.so" } },
      { interpreter: { file: "/bin/sh", names: ["sh"] } },
    ];
    for (const other of others) assert.equal(await gate.runs(other), false);
    assert.equal(await gate.runs({ pid: 9 }), true);
    assert.equal(await gate.runs(), false);
    const told = gate.events.all.flatMap((event) =>
      event.kind === "exec" ? [[event.decision, event.approval_id === id]] : []
    );
    assert.deepEqual(told.filter(([, isOurs]) => isOurs), [
      ["STEP_UP", true],
      ["STEP_UP", true],
      ["ALLOW", true],
    ]);
  }));

Deno.test("an execution is held where the configuration says so, and others are not by that", () =>
  withGate("sync_wait", async (gate, desk) => {
    const held = gate.ask();
    const id = await waiting(desk);
    assert.ok(gate.heard.some((message) => message.kind === "held" && message.number === held));
    desk.approve(id);
    assert.equal(await gate.answer(held), true);
    const refused = gate.ask();
    desk.approvals.rule(await waiting(desk), { kind: "deny" }, ALICE, "");
    assert.equal(await gate.answer(refused), false);
    // Who waited is gone: nothing is used up for it.
    const left = gate.ask({ cwd: "/home/ada" });
    const orphan = await waiting(desk);
    gate.say({ kind: "gone", number: left });
    assert.equal(await gate.answer(left), false);
    assert.equal(await waiting(desk), orphan);
  }));

Deno.test("an execution that is approved is decided by what holds then", () =>
  withGate("sync_wait", async (gate, desk) => {
    const held = gate.ask();
    const id = await waiting(desk);
    gate.standing.apply(
      bundle(`${POLICY} @id("no") forbid (principal, action, resource);`),
      NOW_MS + 30_000,
    );
    desk.approve(id);
    assert.equal(await gate.answer(held), false);
  }));

Deno.test("an execution that is approved is decided again once its files were looked at", async () => {
  const forbid = `${POLICY} @id("no") forbid (principal, action, resource);`;
  await withGate("sync_wait", async (gate, desk) => {
    const apply = () => void gate.standing.apply(bundle(forbid), NOW_MS + 30_000);
    gate.meanwhile = [() => {}, apply];
    const held = gate.ask();
    desk.approve(await waiting(desk));
    assert.equal(await gate.answer(held), false);
    assert.deepEqual(gate.meanwhile, []);
  });
});

Deno.test("nobody is asked about an execution of which not all is known", () =>
  withGate("async_token", async (gate, desk) => {
    assert.equal(await gate.runs({ argc: -1 }), false);
    assert.equal(gate.events.last.deny_reason, "MalformedRequest");
    assert.deepEqual(desk.approvals.list(), []);
  }));

Deno.test("what looks like a secret is not shown, and that it is not", () =>
  withGate("async_token", async (gate, desk) => {
    const command = 'token="; rm -rf ~ ;"';
    await gate.runs({ argv: ["sh", "-c", command], argc: 3 });
    assert.doesNotMatch(desk.events[0]!.shown, /rm -rf/);
    assert.match(desk.events[0]!.shown, /not shown +some of 20 characters/);
  }));

Deno.test("an execution whose files have changed is another one, also while it is held", async () => {
  await withGate("async_token", async (gate, desk) => {
    await gate.runs();
    desk.approve(await waiting(desk));
    gate.files = [["/usr/bin/rm", "2"]];
    assert.equal(await gate.runs(), false);
    gate.files = [["/usr/bin/rm", "1"]];
    assert.equal(await gate.runs({ path: "/bin/rm" }), true); // by whatever way to it
    gate.files = undefined;
    assert.equal(await gate.runs(), false);
    assert.equal(gate.events.last.deny_reason, "MalformedRequest");
  });
  await withGate("sync_wait", async (gate, desk) => {
    const held = gate.ask();
    const id = await waiting(desk);
    gate.files = [["/usr/bin/rm", "2"]];
    desk.approve(id);
    assert.equal(await gate.answer(held), false);
    assert.equal(gate.events.last.deny_reason, "PolicyDenied");
  });
});
