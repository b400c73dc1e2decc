import assert from "node:assert/strict";
import { reportLines, sizeReport } from "../../scripts/releasing/size_report.ts";

/** What it weighs is made by scripts/build. */
const ignore = !(() => {
  try {
    return Deno.statSync("dist/program").isDirectory;
  } catch {
    return false;
  }
})();

const NAME = "sizeReport() accounts for every byte, the runtime for most of them";
Deno.test(NAME, { ignore }, async () => {
  const file = await Deno.makeTempFile();
  try {
    // Stands for an executable: what is known of it is measured, the rest is the runtime's.
    const size = 200_000_000;
    await Deno.truncate(file, size);
    const parts = await sizeReport(Deno.cwd(), file);
    assert.equal(parts.reduce((sum, { bytes }) => sum + bytes, 0), size);
    assert.equal(parts[0]!.name, "Deno, V8 and ICU");
    assert.ok(parts.some(({ name }) => name.startsWith("@cedar-policy/cedar-wasm ")));
    assert.ok(parts.every(({ bytes }) => bytes > 0));
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("reportLines() puts small parts together", () => {
  const parts = [
    { name: "runtime", bytes: 100_000_000 },
    { name: "a", bytes: 60_000 },
    { name: "b", bytes: 50_000 },
  ];
  assert.deepEqual(reportLines(parts), [
    "  100.00 MB  runtime",
    "    0.11 MB  2 smaller",
    "  100.11 MB  in all",
  ]);
});
