/** What the gate tells of files with its question is what it would answer if it were asked. */
import assert from "node:assert/strict";
import type { GateMessage, HeldFiles } from "../../../../src/core/local_exec.ts";
import { Gated } from "../../support/gated.ts";

const MANY = 300;
const SCRIPT = `
mkdir few many; touch file few/1 few/2; ln -s few link; ln -s nowhere dangling
for number in $(seq ${MANY}); do : >many/$number; done
/bin/rm file few many link dangling missing -r /bin/..
/bin/rm 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16
/bin/true file
exit 0
`;

Deno.test("the gate tells how many files the arguments hold of programs that delete", async () => {
  const asked: Extract<GateMessage, { kind: "ask" }>[] = [];
  await using gated = await Gated.serving(async (reader) => {
    const say = (message: unknown) => reader.socket.write(`${JSON.stringify(message)}\n`);
    say({ kind: "hello", governed: ["rm"], carriers: [], deleting: ["rm"] });
    let pending = "";
    while (reader.buffered.length > 0 || await reader.fill()) {
      const lines = (pending + reader.buffered.toString()).split("\n");
      reader.consume(reader.buffered.length);
      pending = lines.pop()!;
      for (const line of lines) {
        const message = JSON.parse(line) as GateMessage;
        if (message.kind !== "ask") continue;
        asked.push(message);
        const allow = !message.execution.names.includes("rm");
        say({ kind: "answer", number: message.number, allow });
      }
    }
  });
  const { stderr } = await gated.shell(SCRIPT);
  const heldBy = (first: string) =>
    asked.find(({ execution: { argv } }) => argv[1] === first && argv[0]!.startsWith("/bin/"))!
      .held;
  const expected: HeldFiles[] = [
    ["file", 1, 1],
    ["few", 1, 2],
    ["many", 1],
    ["link", 1, 1],
    ["dangling", 1, 1],
    ["missing", 0, 0],
    ["/bin/..", 1],
  ];
  assert.deepEqual(heldBy("file"), expected, stderr);
  assert.equal(heldBy("1"), undefined, "too many arguments");
  const other = asked.find(({ execution }) => execution.path === "/bin/true")!;
  assert.equal(other.held, undefined, "a program that deletes nothing");
});
