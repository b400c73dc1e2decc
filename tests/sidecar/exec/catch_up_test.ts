/** What runs by a standing answer is part of its session before anything is decided by that. */
import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { join } from "node:path";
import { type Execution, SPOOL_NAME } from "../../../src/core/local_exec.ts";
import { SocketReader } from "../../../src/net/socket_reader.ts";
import { LocalExecutions } from "../../../src/sidecar/exec/executions.ts";
import { SessionTable } from "../../../src/sidecar/pipeline/session_table.ts";
import { Standing } from "../../../src/sidecar/pipeline/standing.ts";
import { eventually } from "../../fixtures/deadline.ts";
import { bundle } from "../../policy/support.ts";
import { Events, mapping, NOW_MS, session, SESSION_ID } from "../pipeline/support.ts";

const STATUS: Execution = {
  pid: 7,
  path: "/usr/bin/git",
  file: "/usr/bin/git",
  names: ["git"],
  argv: ["git", "status"],
  argc: 2,
  cwd: "/home/ada",
};

Deno.test("what the gate wrote down counts before it has said so, once, and no half of a line", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const spool = join(directory, SPOOL_NAME);
    await Deno.writeTextFile(spool, "");
    const standing = new Standing(mapping(), true);
    standing.apply(bundle("permit (principal, action, resource);"), NOW_MS + 30_000);
    standing.revoked = new Set();
    const sessions = new SessionTable();
    sessions.open(session());
    const sink = new Events();
    const heard: string[] = [];
    const socket = new Duplex({
      read() {},
      write(bytes, _encoding, done) {
        heard.push(...String(bytes).trimEnd().split("\n"));
        done();
      },
    });
    const executions = new LocalExecutions({ standing, sessions, sink, now: () => NOW_MS });
    const reader = new SocketReader(socket, undefined, 65_536);
    const serving = executions.serve(SESSION_ID, reader, directory);
    const say = (message: unknown) => socket.push(`${JSON.stringify(message)}\n`);
    const hears = (text: string) =>
      eventually(text, () => heard.find((line) => line.includes(text)));
    const count = () => sessions.get(SESSION_ID)!.state.actionCount;

    say({ kind: "spool", from: 0 });
    say({ kind: "ask", number: 1, execution: STATUS });
    assert.match(await hears('"answer"'), /"standing":"question"/);
    assert.equal(count(), 1);

    const line = `${JSON.stringify({ ...STATUS, pid: 8 })}\n`;
    await Deno.writeTextFile(spool, line.repeat(2) + line.slice(0, 9), { append: true });
    assert.equal(count(), 3);
    assert.equal(count(), 3);
    await hears(`{"kind":"taken","to":${2 * line.length}}`);
    await Deno.writeTextFile(spool, line.slice(9), { append: true });
    assert.equal(count(), 4);
    say({ kind: "ran", to: 3 * line.length });
    await Deno.writeTextFile(spool, line, { append: true });
    socket.push(null);
    await serving;
    assert.equal(count(), 5, "what a gate that has ended wrote down last");

    const [first, ...others] = sink.all as { event_id: string; repeats?: string }[];
    assert.deepEqual(others.map(({ repeats }) => repeats), Array(4).fill(first!.event_id));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
