import assert from "node:assert/strict";
import { summed } from "../../src/demo/summed.ts";

const REMOVAL = {
  decision: "ALLOW",
  reason: "",
  action_class: "filesystem.delete",
  what: "rm a",
  why: "",
  policies: [],
  event_id: "aevt_1",
};

Deno.test("summed() makes one of a loop, and of a program that was tried twice", () => {
  const refused = { ...REMOVAL, decision: "STEP_UP", reason: "StepUpRequired" };
  const loop = ["rm a", "rm b", "rm c", "rm a"].map((what) => ({ ...REMOVAL, what }));
  assert.deepEqual(summed([refused, refused, ...loop]), [
    refused,
    { ...REMOVAL, what: "rm a, and 2 more" },
  ]);
  assert.deepEqual(summed([]), []);
});

Deno.test("summed() keeps apart what was decided otherwise, or by another policy", () => {
  const policy = { id: "own.no", file: "own.cedar", line: 1, text: "" };
  const others = [
    { ...REMOVAL, decision: "DENY" },
    { ...REMOVAL, action_class: "system.execute" },
    { ...REMOVAL, policies: [policy] },
  ];
  assert.deepEqual(summed([REMOVAL, ...others]), [REMOVAL, ...others]);
});
