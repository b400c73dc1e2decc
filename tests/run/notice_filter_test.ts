import assert from "node:assert/strict";
import { withoutRepeats } from "../../src/run/notice_filter.ts";

Deno.test("withoutRepeats() says once what comes many times at once, and again later", () => {
  const said: string[] = [];
  let time = 0;
  const tell = withoutRepeats((level, text) => said.push(`${level} ${text}`), () => time);
  for (const text of ["a", "a", "b", "a"]) tell("warn", text);
  assert.deepEqual(said, ["warn a", "warn b", "warn a"]);
  for (time = 900; time < 5_000; time += 900) tell("warn", "a");
  assert.equal(said.length, 3);
  time += 1_000;
  tell("error", "a");
  assert.equal(said.at(-1), "error a");
});
