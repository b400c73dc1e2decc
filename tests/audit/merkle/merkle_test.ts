import assert from "node:assert/strict";
import fc from "fast-check";
import { Accumulator } from "../../../src/audit/merkle/accumulator.ts";
import { EMPTY_ROOT, type Hash, leafHash, nodeHash } from "../../../src/audit/merkle/hash.ts";
import {
  consistencyPath,
  inclusionPath,
  rootOf,
  storedHashes,
  wholeLeaves,
} from "../../../src/audit/merkle/stored.ts";
import { verifyConsistency, verifyInclusion } from "../../../src/audit/merkle/verify.ts";

const directory = Deno.env.get("FIRMA_TEST_VECTORS");
const reason = directory === undefined ? " (skipped: FIRMA_TEST_VECTORS is not set)" : "";

/** Most leaves of the trees below: enough for every shape of the right edge. */
const MOST = 66;
const LEAVES = Array.from({ length: MOST }, (_, i) => leafHash(new TextEncoder().encode(`${i}`)));
const STORED: Hash[] = [];
const read = (position: number) => STORED[position]!;
const whole = new Accumulator();
for (const leaf of LEAVES) STORED.push(...whole.append(leaf));

/** The definition of RFC 6962, 2.1, word for word and slow. */
function definition(leaves: readonly Hash[]): Hash {
  if (leaves.length === 0) return EMPTY_ROOT;
  if (leaves.length === 1) return leaves[0]!;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return nodeHash(definition(leaves.slice(0, split)), definition(leaves.slice(split)));
}

Deno.test("rootOf() is what RFC 6962 defines, for every size", () => {
  for (let size = 0; size <= MOST; size++) {
    assert.deepEqual(rootOf(size, read), definition(LEAVES.slice(0, size)), `size ${size}`);
  }
});

Deno.test("Accumulator goes on with a stored tree of every size, and knows its root", () => {
  for (let size = 0; size <= MOST; size++) {
    const accumulator = Accumulator.restore(size, read);
    assert.equal(accumulator.leaves, size);
    assert.deepEqual(accumulator.root(), rootOf(size, read));
    if (size === MOST) continue;
    const stored = accumulator.append(LEAVES[size]!);
    assert.deepEqual(stored, STORED.slice(storedHashes(size), storedHashes(size + 1)));
    assert.deepEqual(accumulator.root(), rootOf(size + 1, read));
  }
});

Deno.test("wholeLeaves() counts the leaves of which everything is stored", () => {
  for (let leaves = 0; leaves < 300; leaves++) {
    const next = storedHashes(leaves + 1);
    for (let stored = storedHashes(leaves); stored < next; stored++) {
      assert.equal(wholeLeaves(stored), leaves, `${stored} hashes`);
    }
  }
});

Deno.test("verifyInclusion() takes the path of every leaf of every tree, at its place alone", () => {
  for (let size = 1; size <= MOST; size++) {
    const root = rootOf(size, read);
    for (let index = 0; index < size; index++) {
      const path = inclusionPath(index, size, read);
      assert.ok(verifyInclusion(LEAVES[index]!, index, size, path, root), `${index} of ${size}`);
      const elsewhere = (index + 1) % size;
      if (elsewhere === index) continue;
      assert.ok(!verifyInclusion(LEAVES[index]!, elsewhere, size, path, root), `moved ${index}`);
      assert.ok(!verifyInclusion(LEAVES[elsewhere]!, index, size, path, root), `other ${index}`);
    }
  }
});

Deno.test("verifyConsistency() takes every prefix of every tree, and no other tree", () => {
  const other = leafHash(new TextEncoder().encode("other"));
  for (let size = 1; size <= MOST; size++) {
    const root = rootOf(size, read);
    for (let old = 0; old <= size; old++) {
      const oldRoot = rootOf(old, read);
      const path = consistencyPath(old, size, read);
      assert.ok(verifyConsistency(old, oldRoot, size, root, path), `${old} of ${size}`);
      if (old === 0) continue;
      const forged = definition([...LEAVES.slice(0, old - 1), other]);
      assert.ok(!verifyConsistency(old, forged, size, root, path), `forged ${old} of ${size}`);
      if (old < size) {
        assert.ok(!verifyConsistency(size, root, old, oldRoot, path), "a tree that shrinks");
      }
    }
  }
});

/** A proof with one thing wrong with it. */
function tampered(path: readonly Hash[]): fc.Arbitrary<Hash[]> {
  const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const added = fc.tuple(fc.nat(path.length), bytes)
    .map(([at, hash]) => [...path.slice(0, at), hash, ...path.slice(at)]);
  if (path.length === 0) return added;
  const at = fc.nat(path.length - 1);
  return fc.oneof(
    added,
    at.map((at) => path.filter((_, i) => i !== at)),
    fc.tuple(at, fc.nat(31), fc.integer({ min: 1, max: 255 })).map(([at, byte, mask]) =>
      path.map((hash, i) => i === at ? hash.map((b, j) => j === byte ? b ^ mask : b) : hash)
    ),
    at.map((at) => path.map((hash, i) => i === at ? hash.subarray(1) : hash)),
  );
}

Deno.test("verifyInclusion() refuses a path that was tampered with", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: MOST }).chain((size) => fc.tuple(fc.constant(size), fc.nat(size - 1)))
      .chain(([size, index]) => {
        const path = inclusionPath(index, size, read);
        return fc.tuple(fc.constant(size), fc.constant(index), tampered(path));
      }),
    ([size, index, path]) => {
      assert.ok(!verifyInclusion(LEAVES[index]!, index, size, path, rootOf(size, read)));
    },
  ));
});

Deno.test("verifyConsistency() refuses a path that was tampered with", () => {
  fc.assert(fc.property(
    fc.integer({ min: 2, max: MOST })
      .chain((size) => fc.tuple(fc.constant(size), fc.integer({ min: 1, max: size - 1 })))
      .chain(([size, old]) => {
        const path = consistencyPath(old, size, read);
        return fc.tuple(fc.constant(size), fc.constant(old), tampered(path));
      }),
    ([size, old, path]) => {
      assert.ok(!verifyConsistency(old, rootOf(old, read), size, rootOf(size, read), path));
    },
  ));
});

Deno.test("verifyInclusion() and verifyConsistency() refuse numbers that are none", () => {
  const root = LEAVES[0]!;
  for (const size of [-1, 0.5, NaN, Infinity, 2 ** 64]) {
    assert.ok(!verifyInclusion(root, 0, size, [], root));
    assert.ok(!verifyInclusion(root, size, 1, [], root));
    assert.ok(!verifyConsistency(size, root, size, root, []));
  }
  assert.ok(verifyInclusion(root, 0, 1, [], root));
});

interface InclusionCase {
  readonly leafIdx: number;
  readonly treeSize: number;
  readonly root: string;
  readonly leafHash: string;
  readonly proof: readonly string[] | null;
  readonly wantErr: boolean;
  readonly name: string;
}

Deno.test({
  name: `verifyInclusion() agrees with the published cases${reason}`,
  ignore: directory === undefined,
  fn: async () => {
    const text = await Deno.readTextFile(`${directory}/rfc6962-inclusion.json`);
    const cases: InclusionCase[] = JSON.parse(text);
    assert.ok(cases.some(({ wantErr }) => wantErr) && cases.some(({ wantErr }) => !wantErr));
    for (const { leafIdx, treeSize, root, leafHash, proof, wantErr, name } of cases) {
      const bytes = (base64: string) => Uint8Array.fromBase64(base64);
      const path = (proof ?? []).map(bytes);
      const works = verifyInclusion(bytes(leafHash), leafIdx, treeSize, path, bytes(root));
      assert.equal(works, !wantErr, name);
    }
  },
});
