import assert from "node:assert/strict";
import fc from "fast-check";
import { parse, stringify } from "smol-toml";
import { pathKey, type TomlPath, tomlPositions } from "../../src/config/toml_positions.ts";

function at(text: string, ...path: TomlPath): string | undefined {
  const position = tomlPositions(text).get(pathKey(path));
  return position && `${position.line}:${position.column}`;
}

Deno.test("tomlPositions() finds keys in tables, dotted keys and inline tables", () => {
  const text = `# a comment with [brackets] = 1
top = 1
[a.b]  # c = 2
  x = 1
  y.z = "# not a comment"
p = { q = 1, "r s" = { t = [ { u = 1 } ] } }
`;
  assert.equal(at(text, "top"), "2:1");
  assert.equal(at(text, "a"), "3:1");
  assert.equal(at(text, "a", "b", "x"), "4:3");
  assert.equal(at(text, "a", "b", "y"), "5:3");
  assert.equal(at(text, "a", "b", "y", "z"), "5:5");
  assert.equal(at(text, "a", "b", "p", "q"), "6:7");
  assert.equal(at(text, "a", "b", "p", "r s", "t", 0, "u"), "6:32");
});

Deno.test("tomlPositions() counts the elements of arrays of tables", () => {
  const text =
    `[[hosts]]\nhost = "a"\n[[hosts]]\nhost = "b"\n[hosts.more]\nx = 1\n[[hosts.sub]]\ny = 1\n`;
  assert.equal(at(text, "hosts", 0, "host"), "2:1");
  assert.equal(at(text, "hosts", 1, "host"), "4:1");
  assert.equal(at(text, "hosts", 1, "more", "x"), "6:1");
  assert.equal(at(text, "hosts", 1, "sub", 0, "y"), "8:1");
});

Deno.test("tomlPositions() is not led astray by strings of several lines", () => {
  const text = [
    'a = """',
    "b = 1",
    'quoted \\""" ""',
    '""""',
    "c = '''",
    "d = 'x'",
    "''''",
    "e = [ # ]",
    '  "f = 1",',
    "  'g',",
    "]",
    "h = 1979-05-27 07:32:00",
  ].join("\n");
  parse(text);
  assert.equal(at(text, "b"), undefined);
  assert.equal(at(text, "c"), "5:1");
  assert.equal(at(text, "e", 1), "10:3");
  assert.equal(at(text, "h"), "12:1");
});

const key = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9_-]{1,8}$/),
  fc.string({ unit: "grapheme" }),
).filter((text) => text !== "__proto__");
const leaf = fc.oneof(fc.string({ unit: "grapheme" }), fc.boolean(), fc.maxSafeInteger());
const { table } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, leaf, fc.array(leaf), tie("table"), fc.array(tie("table"))),
  table: fc.dictionary(key, tie("value"), { maxKeys: 4 }),
}));

function paths(value: unknown, path: TomlPath = []): TomlPath[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const at = [...path, Array.isArray(value) ? Number(name) : name];
    return [at, ...paths(member, at)];
  });
}

Deno.test("tomlPositions() finds every key of every document", () => {
  fc.assert(fc.property(table, (document) => {
    const text = stringify(document as Record<string, unknown>);
    const positions = tomlPositions(text);
    for (const path of paths(parse(text))) {
      if (typeof path.at(-1) === "number") continue;
      assert.ok(positions.has(pathKey(path)), `${pathKey(path)} in ${text}`);
    }
  }));
});

Deno.test("tomlPositions() ends on any text at all", () => {
  const noise = fc.array(
    fc.constantFrom("[", "]", "{", "}", "=", ".", ",", '"', "'", "\\", "\n", "#", "a", " ", '"""'),
  ).map((parts) => parts.join(""));
  fc.assert(fc.property(fc.oneof(noise, fc.string({ unit: "binary" })), (text) => {
    tomlPositions(text);
  }));
});
