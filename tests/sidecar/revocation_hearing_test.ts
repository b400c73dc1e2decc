import assert from "node:assert/strict";
import { RevocationHearing } from "../../src/sidecar/revocation_hearing.ts";
import { eventually } from "../fixtures/deadline.ts";

function subject(graceMs: number) {
  const said: boolean[] = [];
  return { said, hearing: new RevocationHearing(graceMs, (isHeard) => said.push(isHeard)) };
}

Deno.test("RevocationHearing says at once that a stream broke when there is no grace", () => {
  const { said, hearing } = subject(0);
  hearing.note(true);
  assert.deepEqual(said, [], "that it is heard is no news");
  hearing.note(false);
  hearing.note(false);
  assert.deepEqual(said, [false]);
  hearing.note(true);
  hearing.note(true);
  assert.deepEqual(said, [false, true]);
});

Deno.test("RevocationHearing says nothing of a stream that is back within the grace", async () => {
  const long = subject(3_600_000);
  long.hearing.note(false);
  long.hearing.note(true);
  long.hearing.note(false);
  long.hearing.close();
  const short = subject(1);
  short.hearing.note(false);
  await eventually("the end of the short grace", () => short.said.length > 0 || undefined);
  assert.deepEqual([short.said, long.said], [[false], []]);
});
