import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import assert from "node:assert/strict";
import fc from "fast-check";
import type { PolicyBundle } from "../../../src/core/policy_bundle.ts";
import { BundleReceiver } from "../../../src/authority/client/bundle_receiver.ts";
import { readBundle, signStatement, wireBundle } from "../../../src/authority/bundle_statement.ts";
import { PolicyBundleUpdateSchema } from "../../../src/proto/firma/v1/authority_pb.ts";
import { PolicyBundleSchema } from "../../../src/proto/firma/v1/bundle_pb.ts";
import { keyPair } from "../../capability/support.ts";

const NOW = Date.parse("2030-01-01T00:00:00Z");
const key = keyPair();

function bundle(revision: number, special: Partial<PolicyBundle> = {}): PolicyBundle {
  return {
    revision,
    version: `v${revision}`,
    policies: [{ file: "a.cedar", text: "// a" }, { file: "b.cedar", text: "// ü\n" }],
    schema: "namespace Firma {}",
    ttlSeconds: 30,
    ...special,
  };
}

function whole(bundle: PolicyBundle, statedMs = NOW, { privateKey } = key) {
  return create(PolicyBundleUpdateSchema, {
    bundle: wireBundle(bundle, signStatement(bundle, privateKey, statedMs)),
  });
}

function renewal(bundle: PolicyBundle, statedMs: number, { privateKey } = key) {
  return create(PolicyBundleUpdateSchema, {
    notice: { case: "renewal", value: { ...signStatement(bundle, privateKey, statedMs) } },
  });
}

/** What is wrong, or the kind of update. */
function said(update: ReturnType<BundleReceiver["receive"]>): string {
  return update?.kind === "refused" ? update.errors[0]!.code : update?.kind ?? "nothing";
}

Deno.test("receive() takes a bundle that the Authority has signed, part by part", () => {
  const receiver = new BundleReceiver(key.publicKey);
  const sent = bundle(7, { mappingDigest: "ab".repeat(32) });
  const update = receiver.receive(whole(sent), NOW);
  assert.ok(update?.kind === "bundle");
  assert.deepEqual(update.bundle, sent);
  assert.equal(receiver.version, "v7");
});

Deno.test("receive() refuses a bundle of which any part is not what was signed", async (t) => {
  const good = whole(bundle(1)).bundle!;
  const other = wireBundle(bundle(2), signStatement(bundle(2), key.privateKey, NOW));
  const text = (text: string) => new TextEncoder().encode(text);
  const cases: Record<string, Partial<typeof good>> = {
    "no statement": { statement: new Uint8Array() },
    "no signature": { signature: new Uint8Array() },
    "a signature of another statement": { signature: other.signature },
    "a statement with a byte changed": { statement: good.statement.with(3, 0) },
    "a statement with a byte more": { statement: new Uint8Array([...good.statement, 0]) },
    "another policy": { policies: text("// b\n// ü\n") },
    "a policy more": { policies: text("// a\n// ü\npermit(principal,action,resource);") },
    "a policy less": { policies: text("// a") },
    "no policies": { policies: new Uint8Array() },
    "another separator": { policies: text("// a // ü\n") },
    "another schema": { entitySchema: text("namespace Other {}") },
  };
  for (const [name, special] of Object.entries(cases)) {
    await t.step(name, () => {
      const message = create(PolicyBundleUpdateSchema, {
        bundle: create(PolicyBundleSchema, { ...good, ...special }),
      });
      const receiver = new BundleReceiver(key.publicKey);
      assert.equal(said(receiver.receive(message, NOW)), "POLICY_BUNDLE_INVALID");
    });
  }
  await t.step("all as signed", () => {
    const receiver = new BundleReceiver(key.publicKey);
    assert.equal(said(receiver.receive(whole(bundle(1)), NOW)), "bundle");
  });
  await t.step("by another key", () => {
    const receiver = new BundleReceiver(key.publicKey);
    const update = receiver.receive(whole(bundle(1), NOW, keyPair()), NOW);
    assert.equal(said(update), "POLICY_BUNDLE_INVALID");
  });
});

Deno.test("receive() takes nothing older than what it has, whole or as a renewal", () => {
  const receiver = new BundleReceiver(key.publicKey);
  assert.equal(said(receiver.receive(whole(bundle(5)), NOW)), "bundle");
  assert.equal(said(receiver.receive(whole(bundle(4), NOW + 1), NOW + 1)), "POLICY_BUNDLE_OLD");
  const other = whole(bundle(5, { version: "other" }), NOW + 1);
  assert.equal(said(receiver.receive(other, NOW + 1)), "POLICY_BUNDLE_INVALID");
  // The loss of a bundle does not open the door to an older one.
  const loss = create(PolicyBundleUpdateSchema, { notice: { case: "loss", value: {} } });
  assert.equal(said(receiver.receive(loss, NOW + 1)), "gone");
  assert.equal(said(receiver.receive(whole(bundle(4), NOW + 2), NOW + 2)), "POLICY_BUNDLE_OLD");
  assert.equal(said(receiver.receive(whole(bundle(6), NOW + 3), NOW + 3)), "bundle");
});

Deno.test("receive() renews what it has, and nothing else", () => {
  const receiver = new BundleReceiver(key.publicKey);
  assert.equal(said(receiver.receive(renewal(bundle(1), NOW), NOW)), "POLICY_BUNDLE_INVALID");
  receiver.receive(whole(bundle(1)), NOW);
  const update = receiver.receive(renewal(bundle(1), NOW + 10_000), NOW + 10_000);
  assert.ok(update?.kind === "bundle");
  assert.deepEqual(update.bundle, bundle(1));
  const forged = renewal(bundle(1), NOW + 20_000, keyPair());
  assert.equal(said(receiver.receive(forged, NOW + 20_000)), "POLICY_BUNDLE_INVALID");
  const strange = renewal(bundle(2), NOW + 20_000);
  assert.equal(said(receiver.receive(strange, NOW + 20_000)), "POLICY_BUNDLE_INVALID");
  assert.equal(said(receiver.receive(renewal(bundle(1), NOW + 5_000), NOW + 20_000)), "nothing");
});

Deno.test("receive() takes the time that a statement was held up off its time to live", () => {
  const receiver = new BundleReceiver(key.publicKey);
  const skewMs = 60_000; // clocks that differ are no delay
  const left = (statedMs: number, arrivedMs: number) => {
    const update = receiver.receive(whole(bundle(1), statedMs), arrivedMs + skewMs);
    return update?.kind === "bundle" ? update.bundle.ttlSeconds : said(update);
  };
  assert.equal(left(NOW, NOW), 30);
  assert.equal(left(NOW + 1_000, NOW + 1_000), 30);
  assert.equal(left(NOW + 2_000, NOW + 12_000), 20);
  assert.equal(left(NOW + 3_000, NOW + 33_000), "nothing");
});

Deno.test("receive() takes no statement of long ago, which somebody may play back after a restart", () => {
  const receiver = new BundleReceiver(key.publicKey);
  const late = NOW + 6 * 60_000;
  assert.equal(said(receiver.receive(whole(bundle(1)), late)), "POLICY_BUNDLE_OLD");
  assert.equal(said(receiver.receive(whole(bundle(1), late), late)), "bundle");
});

Deno.test("readBundle() gives back any policies that were signed", () => {
  const text = fc.string({ unit: "grapheme" }).filter((text) => text.isWellFormed());
  const policies = fc.array(
    fc.record({ file: text, text }, { noNullPrototype: true }),
    { maxLength: 4 },
  );
  fc.assert(fc.property(policies, text, (policies, schema) => {
    const sent = bundle(1, { policies, schema });
    const wire = wireBundle(sent, signStatement(sent, key.privateKey, NOW));
    const travelled = fromBinary(PolicyBundleSchema, toBinary(PolicyBundleSchema, wire));
    const read = readBundle(travelled, key.publicKey);
    assert.ok(read.ok);
    assert.deepEqual(read.value.bundle, sent);
  }));
});

Deno.test("receive() fills in the schema that it has, if that is the one that was signed", () => {
  const receiver = new BundleReceiver(key.publicKey);
  const bare = create(PolicyBundleUpdateSchema, {
    bundle: create(PolicyBundleSchema, {
      ...whole(bundle(1)).bundle!,
      entitySchema: new Uint8Array(),
    }),
  });
  assert.equal(said(receiver.receive(bare, NOW)), "POLICY_BUNDLE_INVALID");
  receiver.knownSchema = "namespace Other {}";
  assert.equal(said(receiver.receive(bare, NOW)), "POLICY_BUNDLE_INVALID");
  receiver.knownSchema = bundle(1).schema;
  const update = receiver.receive(bare, NOW);
  assert.ok(update?.kind === "bundle");
  assert.equal(update.bundle.schema, bundle(1).schema);
});
