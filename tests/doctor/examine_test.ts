import assert from "node:assert/strict";
import type { Check } from "../../src/doctor/check.ts";
import { examine } from "../../src/doctor/examine.ts";
import { fine, type NamedFinding } from "../../src/doctor/finding.ts";
import { exitCode, jsonReport, reportLines } from "../../src/doctor/report.ts";
import { Place } from "./support.ts";

Deno.test("examine() tells findings in the order of the checks, whichever ends first", async () => {
  using place = new Place();
  const { promise, resolve } = Promise.withResolvers<void>();
  const checks: Check[] = [
    { category: "slow", run: () => promise.then(() => [fine("a"), fine("b")]) },
    { category: "quick", run: () => (resolve(), [fine("c")]) },
  ];
  const left: string[][] = [];
  const found = await examine(checks, place.world(), {
    onProgress: (pending) => left.push([...pending]),
  });
  assert.deepEqual(found.map(({ category, reason }) => `${category} ${reason}`), [
    "slow a",
    "slow b",
    "quick c",
  ]);
  assert.deepEqual(left, [["slow"], []]);
});

Deno.test("examine() makes a finding of a check that throws or does not end", async () => {
  using place = new Place();
  const checks: Check[] = [
    {
      category: "at once",
      run() {
        throw new Error("boom");
      },
    },
    { category: "later", run: () => Promise.reject(new Deno.errors.PermissionDenied("no")) },
    { category: "never", run: () => new Promise(() => {}) },
    { category: "well", run: () => [fine("yes")] },
  ];
  const found = await examine(checks, place.world(), { limitMs: 20 });
  assert.deepEqual(found.map(({ category, status }) => [category, status]), [
    ["at once", "warn"],
    ["later", "warn"],
    ["never", "warn"],
    ["well", "ok"],
  ]);
  assert.match(found[0]!.reason, /boom/);
  assert.match(found[2]!.reason, /did not end within/);
  assert.ok(found.slice(0, 3).every(({ cure }) => cure !== undefined));
});

const found: readonly NamedFinding[] = [
  { category: "a", ...fine("well", "first\nsecond") },
  {
    category: "longer",
    status: "warn",
    reason: "so so",
    cure: "true",
    repair: { done: "x", apply() {} },
  },
];

Deno.test("exitCode() follows the gravest finding", () => {
  assert.equal(exitCode([]), 0);
  assert.equal(exitCode(found.slice(0, 1)), 0);
  assert.equal(exitCode(found), 1);
  assert.equal(exitCode([{ category: "b", status: "fail", reason: "no" }, ...found]), 2);
});

Deno.test("jsonReport() has what programs go by, and no functions", () => {
  assert.deepEqual(jsonReport(found), {
    checks: [
      { category: "a", status: "ok", reason: "well", detail: "first\nsecond" },
      { category: "longer", status: "warn", reason: "so so", cure: "true" },
    ],
    worst: "warn",
    exit_code: 1,
  });
});

Deno.test("reportLines() has each finding, its cure, and a sum", () => {
  assert.deepEqual(reportLines(found), [
    "ok    a       well",
    "              first",
    "              second",
    "warn  longer  so so",
    "              cure: true",
    "",
    "1 ok, 1 warning, 0 failed",
  ]);
});

// Attack: a file name or a host with controls in it reaches the operator's terminal.
Deno.test("reportLines() escapes what others chose", () => {
  const text = "\x1b[2Jx\u202e";
  const lines = reportLines([
    { category: "a", status: "warn", reason: text, detail: `plain\n${text}`, cure: text },
  ]);
  // deno-lint-ignore no-control-regex -- controls are what this looks for
  assert.doesNotMatch(lines.join(""), /[\x00-\x1f\u202e]/);
  assert.ok(lines.some((line) => line.includes("plain")));
});
