import assert from "node:assert/strict";
import { decisionLines, epilogue, prologue, turnLines, wrap } from "../../src/demo/narrate.ts";
import type { Report } from "../../src/demo/report.ts";
import { SCENARIOS } from "../../src/demo/scenarios.ts";

const PLAIN = { heading: String, good: String, bad: (text: string) => `!${text}!` };
const [SCENARIO] = SCENARIOS;

const REFUSED = {
  decision: "DENY",
  reason: "PolicyDenied",
  action_class: "content.publish",
  what: "POST api.github.com/gists\x1b[2J",
  why: "A policy forbids this call.",
  policies: [{ id: "own.no", file: "own.cedar", line: 4, text: '@id("own.no")\nforbid;' }],
  event_id: "aevt_1",
};

const REPORT: Report = {
  demo: SCENARIO!.name,
  steps: [{ explain: "", says: "", command: "", decisions: [REFUSED] }],
  reached: [],
  model_calls: 2,
  log: { whole: true, lines: 9 },
  problems: [],
};

Deno.test("decisionLines() shows the policy that refused, and where it stands", () => {
  assert.deepEqual(decisionLines(REFUSED, PLAIN), [
    "  firma    !DENY!  content.publish  POST api.github.com/gists\\x1b[2J",
    "           A policy forbids this call.",
    "           policies/own.cedar:4",
    '             @id("own.no")',
    "             forbid;",
  ]);
  const allowed = { ...REFUSED, decision: "ALLOW", reason: "" };
  assert.equal(decisionLines(allowed, PLAIN).length, 1);
});

Deno.test("epilogue() says what was refused, by which line, and what reached anybody", () => {
  const text = epilogue(SCENARIO!, REPORT, PLAIN).join("\n");
  assert.match(text, /refused +POST api\.github\.com\/gists\\x1b\[2J: own\.no \(own\.cedar:4\)/);
  assert.match(text, /reached +nothing/);
  assert.match(text, /whole, 9 lines/);
  const broken = { ...REPORT, log: { whole: false, lines: 0 }, problems: ["It leaked"] };
  assert.match(epilogue(SCENARIO!, broken, PLAIN).join("\n"), /!broken![^]*!It leaked!/);
});

Deno.test("wrap() breaks no word and keeps to the width", () => {
  const lines = wrap("word ".repeat(60) + "x".repeat(120), "   ");
  assert.ok(lines.slice(0, -1).every((line) => line.length <= 88 && line.startsWith("   word")));
  assert.equal(lines.at(-1), "   " + "x".repeat(120));
});

Deno.test("each demo fits a terminal of 100 columns, its commands apart", () => {
  for (const scenario of SCENARIOS) {
    const lines = [
      ...prologue(scenario, PLAIN),
      ...scenario.turns.flatMap((turn, index) => turnLines(turn, index + 1, PLAIN)),
    ].filter((line) => !line.includes("$ "));
    assert.deepEqual(lines.filter((line) => line.length > 100), []);
  }
});
