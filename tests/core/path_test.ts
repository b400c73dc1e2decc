import assert from "node:assert/strict";
import { posix } from "node:path";
import fc from "fast-check";
import { basename, dirname, isAbsolute, join, relative, resolve } from "../../src/core/path.ts";

const segment = fc.constantFrom("", ".", "..", "...", "a", "b.c", ".d", "e f", "é", "\\");
const path = fc.tuple(fc.constantFrom("", "/"), fc.array(segment, { maxLength: 6 }))
  .map(([root, segments]) => root + segments.join("/"));
const paths = fc.array(path, { maxLength: 4 });

Deno.test("join() and resolve() say what node:path says", () => {
  fc.assert(fc.property(paths, (parts) => {
    assert.equal(join(...parts), posix.join(...parts));
    assert.equal(resolve(...parts), posix.resolve(...parts));
  }));
});

Deno.test("dirname(), basename() and isAbsolute() say what node:path says", () => {
  // node:path calls the root "//" where the path begins so.
  fc.assert(fc.property(path.filter((path) => !path.startsWith("//")), (path) => {
    assert.equal(dirname(path), posix.dirname(path));
    assert.equal(basename(path), posix.basename(path));
    assert.equal(isAbsolute(path), posix.isAbsolute(path));
  }));
});

Deno.test("relative() says what node:path says", () => {
  fc.assert(fc.property(path, path, (from, to) => {
    assert.equal(relative(from, to), posix.relative(from, to));
  }));
});
