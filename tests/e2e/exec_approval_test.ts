/** A local command that deletes waits for a person, and runs once after an approval. */
import assert from "node:assert/strict";
import { eventually } from "../fixtures/deadline.ts";
import { Person } from "../fixtures/cli.ts";

const AGENT = `
mkdir -p src; i=0; while [ $i -lt 30 ]; do : >src/$i; i=$((i+1)); done
printf '#!/bin/sh\\nrm -rf src\\n' >clean.sh
while read -r word; do
  case $word in
    delete) rm -rf src 2>err; echo "left $(ls src 2>/dev/null | wc -l)" ;;
  esac
done
`;

Deno.test("rm -rf waits for a person, runs once after the approval, and asks again", async () => {
  await using person = await Person.create();
  await person.configure({ posture: "dev-with-delete-watch" });
  await using run = person.start(["run", "--trust", "--", "sh", "-c", AGENT]);
  await run.write("delete\n");
  await run.printed(/left 30/);
  const [, id] = await run.printed(/firma token approve (apr_[0-9a-z]{26})/);
  await run.write("delete\n");
  await eventually("the retry", () => run.stdout.split("left 30").length === 3 || undefined);
  const list = JSON.parse((await person.firma(["token", "list", "--json"])).stdout);
  assert.deepEqual(list.map((row: Record<string, unknown>) => row.approval_id), [id]);
  assert.match(list[0].shown, /wants to run +rm '-rf' src/);
  const approve = await person.firma(["token", "approve", id!]);
  assert.equal(approve.code, 0, approve.stderr);
  await run.write("delete\n");
  await run.printed(/left 0/);
  await run.closeInput();
  await run.finished();
  const told = (await person.events()).flatMap((event) =>
    event.kind === "exec" && event.approval_id === id ? [event.decision] : []
  );
  assert.equal(told.at(-1), "ALLOW");
  assert.ok(told.slice(0, -1).every((decision) => decision === "STEP_UP"), told.join());
});
