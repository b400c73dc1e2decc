import assert from "node:assert/strict";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const MAX_LINES = 400;

/** Which parts of `src` a part may import from, itself apart. */
const LEAVES = ["core", "proto", "net", "secrets", "commands"];
const MIDDLE = ["config", "policy", "mapping", "capability", "pki", "audit"];
/** What everything outer is built on. */
const INNER = [...LEAVES, ...MIDDLE, "broker", "approvals"];
const OUTER = ["sidecar", "authority", "sandbox"];
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  proto: [],
  net: ["core"],
  secrets: ["core"],
  commands: ["core"],
  ...Object.fromEntries(MIDDLE.map((part) => [part, [...LEAVES, ...MIDDLE]])),
  approvals: ["core", "config"],
  broker: ["core", "config", "mapping", "pki", "secrets"],
  ...Object.fromEntries(OUTER.map((part) => [part, [...INNER, ...OUTER]])),
  daemon: [...INNER, ...OUTER],
  restore: ["core", "config"],
  run: [...INNER, ...OUTER, "daemon", "restore"],
  monitor: [...INNER, ...OUTER, "daemon"],
  replay: [...INNER, ...OUTER],
  doctor: [...INNER, ...OUTER, "daemon", "restore", "run"],
  demo: [...INNER, ...OUTER, "monitor"],
  cli: [...INNER, ...OUTER, "daemon", "run", "monitor", "doctor", "replay", "demo", "restore"],
};

/** The only module that may load a subcommand, by literal dynamic import. */
const COMMAND_TABLE = "src/cli/main.ts";

function* walk(directory: string): Generator<string> {
  for (const entry of Deno.readDirSync(join(ROOT, directory))) {
    const path = join(directory, entry.name);
    if (entry.isDirectory) yield* walk(path);
    else if (entry.isFile) yield path;
  }
}

const read = (path: string): string => Deno.readTextFileSync(join(ROOT, path));
const sources = [...walk("src")].filter((path) => path.endsWith(".ts"));

/** Relative imports of a module, static and dynamic, as paths from the root. */
function imports(path: string): string[] {
  const specifiers = read(path).matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]+)"/g);
  const targets = [...specifiers].map((match) => join(dirname(path), match[1]!));
  return targets.filter((target) => target.startsWith("src/"));
}

function partOf(path: string): string {
  return relative("src", path).split("/")[0]!;
}

Deno.test("src imports one way: core, then the middle, then the outer parts, then daemon, run and monitor, then cli", () => {
  const wrong: string[] = [];
  for (const path of sources) {
    const from = partOf(path);
    for (const target of imports(path)) {
      const to = partOf(target);
      if (from === to || MAY_IMPORT[from]?.includes(to)) continue;
      if (!(path === COMMAND_TABLE)) wrong.push(`${path} imports ${target}`);
    }
  }
  assert.deepEqual(wrong, []);
});

Deno.test("src has no import cycles between its middle and outer parts", () => {
  const edges = new Map<string, Set<string>>();
  for (const path of sources) {
    for (const target of imports(path)) {
      if (partOf(path) === partOf(target) || path === COMMAND_TABLE) continue;
      const targets = edges.get(partOf(path)) ?? new Set();
      edges.set(partOf(path), targets.add(partOf(target)));
    }
  }
  const visit = (part: string, trail: readonly string[]): string[] | undefined => {
    if (trail.includes(part)) return [...trail, part];
    for (const next of edges.get(part) ?? []) {
      const cycle = visit(next, [...trail, part]);
      if (cycle) return cycle;
    }
  };
  for (const part of edges.keys()) assert.equal(visit(part, []), undefined);
});

Deno.test(`no source file has more than ${MAX_LINES} lines, but for generated ones`, () => {
  const written = sources.filter((path) => partOf(path) !== "proto");
  const long = written.filter((path) => read(path).split("\n").length > MAX_LINES + 1);
  assert.deepEqual(long, []);
});

Deno.test("src finds its files by program_file.ts, for scripts/build moves the code", () => {
  const own = sources.filter((path) => /\bimport\.meta\.(url|dirname|filename)\b/.test(read(path)));
  assert.deepEqual(own, ["src/config/program_file.ts"]);
  const programs = sources.flatMap((path) =>
    [...read(path).matchAll(/\bprogramModule\(\s*"([^"]+)"/g)].map((match) => match[1]!)
  );
  // What scripts/build takes for the program of a worker.
  const workers = sources.filter((path) => path.endsWith("/worker/main.ts"));
  assert.deepEqual(programs.sort(), workers.sort());
});

/** Text that must not stand in the project, but for the places that say so. */
const FORBIDDEN: readonly { what: string; pattern: RegExp; except: RegExp }[] = [
  {
    what: "the npm registry's host outside of what maps it and tests that",
    pattern: new RegExp(["registry", "npmjs", "org"].join("\\.")),
    except: /^(packs\/mappings\/|tests\/|docs\/)/,
  },
  {
    what: "a neighbour directory of one machine",
    pattern: new RegExp("\\.\\./" + "shared(?![.\\w])|(?<![\\w.])/" + "work/"),
    except: /^\.ci\/run$/,
  },
  {
    what: "work left for later",
    pattern: new RegExp("\\b(TO" + "DO|FIX" + "ME|XX" + "X)\\b"),
    except: /^$/,
  },
];

Deno.test("no file holds a forbidden text", () => {
  const files = [
    ...["src", "packs", "policies", "scripts", "tests", "docs", "proto", ".ci"].flatMap((
      directory,
    ) => [
      ...walk(directory),
    ]),
    ...["README.md", "CHANGELOG.md", "deno.json", "deno.lock"],
  ];
  const wrong: string[] = [];
  // The bytes of a picture may spell anything.
  for (const path of files.filter((path) => !path.endsWith(".png"))) {
    for (const { what, pattern, except } of FORBIDDEN) {
      if (!except.test(path) && pattern.test(read(path))) wrong.push(`${path}: ${what}`);
    }
  }
  assert.deepEqual(wrong, []);
});

Deno.test("every test file names its tests after what it tests", () => {
  const misnamed = [...walk("tests")].filter((path) =>
    path.endsWith(".ts") && read(path).includes("Deno.test(") && !path.endsWith("_test.ts")
  );
  assert.deepEqual(misnamed, []);
});
