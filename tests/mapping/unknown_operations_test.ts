import assert from "node:assert/strict";
import fc from "fast-check";
import { normaliseCall } from "../../src/mapping/call.ts";
import { MappingTable } from "../../src/mapping/table.ts";
import { must } from "./support.ts";

const PACKS = new URL("../../packs/mappings/", import.meta.url);

const packs = must(MappingTable.parse(
  [...Deno.readDirSync(PACKS)].map(({ name }) => ({
    file: name,
    text: Deno.readTextFileSync(new URL(name, PACKS)),
  })),
));

/** Published operations: method, host, path with `{…}`, parent class, class. */
const DESCRIBED = ["github", "github-enterprise", "gmail", "stripe"].flatMap((name) =>
  Deno.readTextFileSync(new URL(`data/${name}.tsv`, import.meta.url)).trimEnd().split("\n")
    .map((line) => line.split("\t") as [string, string, string, string, string])
);

/**
 * An upload to Gmail goes on with PUT at the address where it began: published in words, not in
 * the description. The decoder refuses a PUT that belongs to no upload.
 */
const UPLOADS = DESCRIBED.filter(([, , path]) => /^\/(?:resumable\/)?upload\/gmail\//.test(path))
  .map(([, ...rest]) => ["PUT", ...rest] as [string, string, string, string, string]);

const OPERATIONS = [...DESCRIBED, ...UPLOADS];

const HOLE = /\{[^}]+\}/g;
/** Parameters that may be several segments, after which anything belongs to the value. */
const OPEN = /\{(?:ref|branch|basehead|tag|sha|commit_sha|tree_sha|subject_digest|path|dir)\}/;

const operation = fc.constantFrom(...OPERATIONS);

/** The class of a request, `-` for one that is not mapped or refused before. */
function classify(method: string, host: string, target: string): string {
  const call = normaliseCall({ method, scheme: "https", authority: host, target });
  return call.ok ? packs.match(call.value)?.actionClass ?? "-" : "-";
}

/** Whether a published operation of this method takes the path as it stands. */
function isPublished(method: string, host: string, asked: string): boolean {
  // The path of a file may be empty: the root of the repository.
  const path = asked.endsWith("/contents") ? `${asked}/` : asked;
  return OPERATIONS.some(([otherMethod, otherHost, template]) => {
    if (otherMethod !== method || otherHost !== host) return false;
    const pattern = template.split(HOLE).map((text) => RegExp.escape(text));
    const holes = [...template.matchAll(HOLE)].map(([hole]) => OPEN.test(hole) ? ".*" : "[^/]+");
    return new RegExp(`^${pattern.map((text, i) => text + (holes[i] ?? "")).join("")}$`).test(path);
  });
}

const filled = (path: string) => path.replaceAll(HOLE, "x");

Deno.test("the packs do not classify a known path with a method that nobody published", () => {
  const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE", "get", "TRACE"];
  fc.assert(
    fc.property(operation, fc.constantFrom(...methods), ([, host, path], method) => {
      const target = filled(path);
      if (isPublished(method, host, target)) return;
      assert.equal(classify(method, host, target), "-", `${method} ${host}${target}`);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("the packs do not classify a path with a segment more, less or otherwise spelt", () => {
  const segment = fc.constantFrom("unheard-of", "X", "merge", "refs", "a.git", "~", "%25", "+");
  const change = fc.constantFrom("append", "drop", "replace", "double");
  fc.assert(
    fc.property(operation, change, segment, fc.nat(), (chosen, how, extra, at) => {
      const [method, host, path] = chosen;
      const segments = filled(path).slice(1).split("/");
      const index = at % segments.length;
      if (how === "append") segments.push(extra);
      else if (how === "drop") segments.splice(index, 1);
      else if (how === "replace") segments[index] = extra;
      else segments.splice(index, 0, segments[index]!);
      const target = `/${segments.join("/")}`;
      if (isPublished(method, host, target)) return;
      assert.equal(classify(method, host, target), "-", `${method} ${host}${target}`);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("the packs classify another spelling of a path as the path, or not at all", () => {
  const spellings: ((path: string, at: number) => string)[] = [
    (path, at) => encodeAt(path, at),
    (path, at) => encodeAt(path, at).toLowerCase(),
    (path) => path.replaceAll("/", "//"),
    (path) => path.replace("/", "/./"),
    (path) => path.replace("/", "/%2e%2e/"),
    (path) => path.replace(/\/(?=[^/]*$)/, "%2F"),
    (path) => path.replace(/\/(?=[^/]*$)/, "\\"),
    (path) => `${path};x=y`,
    (path) => `${path}%00`,
    (path) => `${path}%20`,
    (path) => path.toUpperCase(),
  ];
  const spelling = fc.constantFrom(...spellings);
  fc.assert(
    fc.property(operation, spelling, fc.nat(), ([method, host, path], spell, at) => {
      const plain = filled(path);
      const target = spell(plain, at);
      const actual = classify(method, host, target);
      if (actual === "-" || isPublished(method, host, target)) return;
      assert.equal(actual, classify(method, host, plain), `${method} ${host}${target}`);
    }),
    { numRuns: 3000 },
  );
});

Deno.test("the packs classify published operations (the control of the tests above)", () => {
  fc.assert(fc.property(operation, ([method, host, path, , expected]) => {
    assert.equal(classify(method, host, filled(path)), expected);
  }));
});

function encodeAt(path: string, at: number): string {
  const index = 1 + at % (path.length - 1);
  const code = path.charCodeAt(index).toString(16).padStart(2, "0");
  return `${path.slice(0, index)}%${code}${path.slice(index + 1)}`;
}
