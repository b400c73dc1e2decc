/** A question of a gate, put to the Sidecar's side of the line. */
import { Duplex } from "node:stream";
import type { Execution, HeldFiles, SidecarMessage } from "../../../src/core/local_exec.ts";
import { SocketReader } from "../../../src/net/socket_reader.ts";
import { LocalExecutions } from "../../../src/sidecar/exec/executions.ts";
import { SessionTable } from "../../../src/sidecar/pipeline/session_table.ts";
import { Standing } from "../../../src/sidecar/pipeline/standing.ts";
import { eventually } from "../../fixtures/deadline.ts";
import { bundle } from "../../policy/support.ts";
import { Events, mapping, NOW_MS, session, SESSION_ID } from "../pipeline/support.ts";

/** Asks one question, and gives what it is answered by: an answer, or a question in return. */
export async function answerTo(
  execution: Partial<Execution>,
  { sink = new Events(), policy = "permit (principal, action, resource);", held }: {
    readonly sink?: Events;
    readonly policy?: string;
    readonly held?: readonly HeldFiles[];
  } = {},
): Promise<SidecarMessage> {
  const standing = new Standing(mapping(), true);
  standing.apply(bundle(policy), NOW_MS + 30_000);
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
  socket.push(`${JSON.stringify({ kind: "ask", number: 1, execution: asked, held })}\n`);
  const answer = await eventually("an answer", () => heard.find(({ kind }) => kind !== "hello"));
  socket.push(null);
  await serving;
  return answer;
}
