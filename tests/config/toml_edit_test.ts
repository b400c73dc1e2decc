import assert from "node:assert/strict";
import fc from "fast-check";
import { parse, stringify } from "smol-toml";
import { removeKey, setKey } from "../../src/config/toml_edit.ts";
import { unwrap } from "../../src/core/result.ts";

const TEXT = `# What people wrote
[authority] # of ours
max_ttl = "1h"   # an hour

[sidecar.mapping]
rules_paths = [   # which
  "a.toml",       # first
  "b.toml"        # second
]
# default_protected = true
# more

[run]
env_passthrough = []
`;

Deno.test("setKey() replaces a value and nothing else", () => {
  assert.equal(
    unwrap(setKey(TEXT, ["authority", "max_ttl"], "5m")),
    TEXT.replace('"1h"', '"5m"'),
  );
});

Deno.test("setKey() adds a key to its table, where the file speaks of it", () => {
  assert.equal(
    unwrap(setKey(TEXT, ["sidecar", "mapping", "default_protected"], false)),
    TEXT.replace("# more", "default_protected = false\n# more"),
  );
  assert.equal(
    unwrap(setKey(TEXT, ["authority", "policy_dir"], "p")),
    TEXT.replace("hour\n", 'hour\npolicy_dir = "p"\n'),
  );
  assert.equal(unwrap(setKey("", ["run", "profile"], "codex")), '[run]\nprofile = "codex"\n');
  assert.equal(
    unwrap(setKey("[run]", ["sidecar", "audit", "file_path"], "/a")),
    '[run]\n\n[sidecar.audit]\nfile_path = "/a"\n',
  );
  assert.equal(unwrap(setKey("[run]", ["top"], 1)), "top = 1\n[run]\n");
});

Deno.test("setKey() keeps the comments of a list, and those of members that stay", () => {
  const path = ["sidecar", "mapping", "rules_paths"] as const;
  assert.equal(
    unwrap(setKey(TEXT, path, ["b.toml", "c.toml"])),
    TEXT.replace(
      '  "a.toml",       # first\n  "b.toml"        # second\n',
      '  "b.toml",        # second\n  "c.toml",\n',
    ),
  );
  assert.equal(
    unwrap(setKey('[a]\nb = ["x", "y"]\n', ["a", "b"], ["z"])),
    '[a]\nb = ["z"]\n',
  );
  assert.equal(
    unwrap(setKey('[a]\nb = [\n    "x",\n]\n', ["a", "b"], ["x", "y"])),
    '[a]\nb = [\n    "x",\n    "y",\n]\n',
  );
});

Deno.test("setKey() keeps the line ends of the file", () => {
  const edited = unwrap(setKey("[run]\r\na = 1\r\n", ["run", "b"], 2));
  assert.equal(edited, "[run]\r\na = 1\r\nb = 2\r\n");
});

Deno.test("removeKey() takes out a key with its line, or a table with all that is in it", () => {
  assert.equal(
    unwrap(removeKey(TEXT, ["authority", "max_ttl"])),
    TEXT.replace('max_ttl = "1h"   # an hour\n', ""),
  );
  assert.equal(
    unwrap(removeKey(TEXT, ["authority"])),
    TEXT.replace('[authority] # of ours\nmax_ttl = "1h"   # an hour\n', ""),
  );
  const tables = "[a]\nx = 1\n[b]\ny = 1\n# of c\n[a.c]\n[[a.d]]\nz = 1\n";
  assert.equal(unwrap(removeKey(tables, ["a"])), "[b]\ny = 1\n# of c\n");
});

Deno.test("setKey() and removeKey() refuse what they cannot edit, and say what to write", () => {
  const refused = setKey("authority = { max_ttl = '1h' }\n", ["authority", "policy_dir"], "p");
  assert.ok(!refused.ok);
  assert.equal(refused.error.code, "CONFIG_NOT_EDITABLE");
  assert.equal(refused.error.cure, 'write policy_dir = "p" into [authority] yourself');
  assert.equal(setKey("a = 1\n", ["a", "b"], "p").ok, false);
});

const name = fc.stringMatching(/^[a-z_]{1,6}$/);
const leaf = fc.oneof(fc.string({ unit: "grapheme" }), fc.boolean(), fc.array(fc.string()));
const { table } = fc.letrec((tie) => ({
  table: fc.dictionary(name, fc.oneof({ maxDepth: 2 }, leaf, tie("table")), { maxKeys: 4 }),
}));

Deno.test("setKey() sets what it was asked to in any document, or says that it cannot", () => {
  let edits = 0;
  fc.assert(
    fc.property(
      table,
      fc.array(name, { minLength: 1, maxLength: 3 }),
      fc.oneof(fc.string({ unit: "binary-ascii" }), fc.array(fc.string({ unit: "grapheme" }))),
      (document, names, value) => {
        const text = stringify(document as Record<string, unknown>);
        const path = names as [string, ...string[]];
        const set = setKey(text, path, value);
        if (!set.ok) return;
        edits++;
        let inner: unknown = parse(set.value);
        for (const part of path) inner = (inner as Record<string, unknown>)[part];
        assert.deepEqual(inner, value);
        assert.ok(removeKey(set.value, path).ok);
      },
    ),
  );
  assert.ok(edits > 10);
});
