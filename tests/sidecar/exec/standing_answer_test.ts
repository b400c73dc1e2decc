/** An answer that stands must not cover a program whose arguments say what it does. */
import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import type { Execution, SidecarMessage } from "../../../src/core/local_exec.ts";
import { SocketReader } from "../../../src/net/socket_reader.ts";
import { LocalExecutions } from "../../../src/sidecar/exec/executions.ts";
import { SessionTable } from "../../../src/sidecar/pipeline/session_table.ts";
import { Standing } from "../../../src/sidecar/pipeline/standing.ts";
import { eventually } from "../../fixtures/deadline.ts";
import { bundle } from "../../policy/support.ts";
import { Events, mapping, NOW_MS, session, SESSION_ID } from "../pipeline/support.ts";

/** Asks one question, and gives the answer. */
async function answerTo(
  execution: Partial<Execution>,
  sink = new Events(),
): Promise<SidecarMessage> {
  const standing = new Standing(mapping(), true);
  standing.apply(bundle("permit (principal, action, resource);"), NOW_MS + 30_000);
  standing.revoked = new Set();
  const sessions = new SessionTable();
  sessions.open(session());
  const heard: SidecarMessage[] = [];
  const socket = new Duplex({
    read() {},
    write(bytes, _encoding, done) {
      for (const line of String(bytes).trimEnd().split("\n")) heard.push(JSON.parse(line));
      done();
    },
  });
  const executions = new LocalExecutions({
    standing,
    sessions,
    sink,
    now: () => NOW_MS,
  });
  const serving = executions.serve(SESSION_ID, new SocketReader(socket, undefined, 65_536), "");
  const asked: Execution = {
    pid: 7,
    path: "/bin/true",
    file: "/usr/bin/true",
    names: ["true"],
    argv: ["true"],
    argc: 1,
    cwd: "/home/ada",
    ...execution,
  };
  socket.push(`${JSON.stringify({ kind: "ask", number: 1, execution: asked })}\n`);
  const answer = await eventually("an answer", () => heard.find(({ kind }) => kind === "answer"));
  socket.push(null);
  await serving;
  return answer;
}

Deno.test("an answer stands for a program whatever its arguments, and for no carrier of others", async () => {
  assert.deepEqual(await answerTo({}), { kind: "answer", number: 1, allow: true, standing: true });
  const carried: Partial<Execution>[] = [
    { names: ["busybox"], argv: ["busybox", "true"], argc: 2 },
    { names: ["python3"], argv: ["python3", "-c", "pass"], argc: 3 },
    { names: ["ld-linux-x86-64.so.2"], argv: ["ld.so", "/bin/true"], argc: 2 },
    { names: ["tool"], interpreter: { file: "/usr/bin/node", names: ["node"] } },
    { names: ["git"], argv: ["git", "--version"], argc: 2 },
  ];
  for (const execution of carried) {
    assert.deepEqual(await answerTo(execution), { kind: "answer", number: 1, allow: true });
  }
});

Deno.test("no answer stands where records have to be on the disk first, and none allows without", async () => {
  for (const isRecorded of [true, false]) {
    const sink = new Events();
    sink.disk = Promise.withResolvers();
    const answering = answerTo({}, sink);
    await eventually("the record", () => sink.all.length > 0 || undefined);
    sink.disk.resolve(isRecorded);
    assert.deepEqual(await answering, { kind: "answer", number: 1, allow: isRecorded });
  }
});
