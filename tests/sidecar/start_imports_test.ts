import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** What is loaded with a module, apart from types: its own, and what is from elsewhere. */
function loadedWith(entry: string): Map<string, string> {
  const from = new Map([[entry, ""]]);
  const foreign = new Map<string, string>();
  for (const path of from.keys()) {
    const text = Deno.readTextFileSync(join(ROOT, path));
    const statements = text.matchAll(/^(?:import|export)\s+(?!type\b)([^;]*?)from\s+"([^"]+)";/gm);
    for (const [, names, specifier] of statements) {
      const isTypes = /^\{(?:\s*type\s+\w+(?:\s+as\s+\w+)?,?\s*)+\}\s*$/.test(names!);
      if (isTypes) continue;
      const target = specifier!.startsWith(".") ? join(dirname(path), specifier!) : undefined;
      if (target === undefined) foreign.set(specifier!, path);
      else if (!from.has(target)) from.set(target, path);
    }
  }
  return foreign;
}

/** Node's modules take 10 to 50 ms of CPU each in Deno, and every run would wait for them. */
for (
  const entry of [
    "src/sidecar/worker/main.ts",
    "src/sidecar/main.ts",
    "src/sidecar/sidecar.ts",
    "src/sidecar/session_body.ts",
  ]
) {
  Deno.test(`${entry} starts without a module of Node's`, () => {
    const foreign = loadedWith(entry);
    const ofNode = [...foreign].filter(([specifier]) => specifier.startsWith("node:"));
    assert.deepEqual(ofNode, []);
    for (const library of ["paseto", "valibot"]) assert(!foreign.has(library), library);
  });
}

Deno.test("src/sidecar/worker/calls.ts is where the data plane loads what TLS needs", () => {
  assert(loadedWith("src/sidecar/worker/calls.ts").has("node:tls"));
});
