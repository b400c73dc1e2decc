import assert from "node:assert/strict";
import type { BundleUpdate } from "../../src/core/authority.ts";
import { eventually } from "../fixtures/deadline.ts";
import { content, directory, FORBID, PERMIT, policySource } from "./support.ts";
import { takesAtMost } from "../fixtures/pace.ts";

function last(heard: readonly BundleUpdate[], kind: BundleUpdate["kind"]) {
  const update = heard.at(-1);
  return update?.kind === kind ? update : undefined;
}

/** Waits until what is in force is `text`. */
function inForce(heard: readonly BundleUpdate[], text: string): Promise<unknown> {
  return eventually(
    `the policies ${JSON.stringify(text)}`,
    () => content(heard.findLast(({ kind }) => kind !== "refused")) === text ? true : undefined,
  );
}

/** What was said, without what only says that it holds still. */
function contents(heard: readonly BundleUpdate[]): string[] {
  return heard.map(content).filter((text, index, all) => text !== all[index - 1]);
}

/** Waits until nothing more can come of what was written before. */
async function untouched(heard: readonly BundleUpdate[], path: string): Promise<void> {
  const marker = `@id("marker-${crypto.randomUUID()}") permit (principal, action, resource);`;
  await Deno.writeTextFile(`${path}/zz-marker.cedar`, marker);
  await eventually("the marker", () => content(heard.at(-1)).includes(marker) ? true : undefined);
}

Deno.test("updates() starts with the bundle in force, files sorted by name", async () => {
  await using dir = await directory({
    "b.cedar": FORBID,
    "a.cedar": PERMIT,
    "notes.txt": "permit nothing",
    ".a.cedar.swp": "binary",
    ".hidden.cedar": "not a policy",
  });
  await Deno.mkdir(`${dir.path}/below`);
  await Deno.writeTextFile(`${dir.path}/below/c.cedar`, "not a policy");
  await using subject = await policySource(dir.path);
  const update = await eventually("a bundle", () => last(subject.heard, "bundle"));
  assert.ok(update.kind === "bundle");
  assert.deepEqual(update.bundle.policies.map(({ file }) => file), ["a.cedar", "b.cedar"]);
  assert.match(update.bundle.version, /^[0-9a-f]{16}$/);
  assert.equal(update.bundle.ttlSeconds, 30);
});

Deno.test("a saved edit is in force in well under a second", async () => {
  await using dir = await directory({ "dev.cedar": PERMIT });
  await using subject = await policySource(dir.path);
  await inForce(subject.heard, PERMIT);
  let text = PERMIT;
  let edits = 0;
  await takesAtMost(900, async () => {
    text = text === PERMIT ? FORBID : PERMIT;
    edits++;
    Deno.writeTextFileSync(`${dir.path}/dev.cedar`, text);
    await inForce(subject.heard, text);
  });
  const revisions = subject.heard.map((update) =>
    update.kind === "bundle" ? update.bundle.revision : 0
  );
  const everyRevision = Array.from({ length: edits + 1 }, (_, i) => i + 1);
  assert.deepEqual([...new Set(revisions)], everyRevision);
});

Deno.test("saving by truncating and writing never drops a forbid on the way", async () => {
  const text = PERMIT + FORBID;
  await using dir = await directory({ "dev.cedar": text });
  await using subject = await policySource(dir.path);
  await inForce(subject.heard, text);
  const edited = `${text}// edited\n`;
  using file = await Deno.open(`${dir.path}/dev.cedar`, { write: true, truncate: true });
  // The editor takes its time: the empty file is seen, and told to the operator.
  const refused = await eventually("a refusal", () => last(subject.heard, "refused"));
  assert.ok(refused.kind === "refused");
  assert.equal(refused.errors[0]!.code, "POLICY_FILE_EMPTIED");
  await file.write(new TextEncoder().encode(edited));
  await inForce(subject.heard, edited);
  for (const update of subject.heard) {
    if (update.kind === "bundle") assert.match(content(update), /@id\("forbid"\)/);
  }
});

Deno.test("saving by truncating and writing at once is one change", async () => {
  await using dir = await directory({ "dev.cedar": PERMIT });
  await using subject = await policySource(dir.path);
  // Without waiting, so that no two reads that agree fit in between on a busy machine.
  Deno.writeTextFileSync(`${dir.path}/dev.cedar`, "");
  Deno.writeTextFileSync(`${dir.path}/dev.cedar`, FORBID);
  await inForce(subject.heard, FORBID);
  assert.deepEqual(contents(subject.heard), [PERMIT, FORBID]);
});

Deno.test("saving by writing another file and renaming it over is one change", async () => {
  await using dir = await directory({ "dev.cedar": PERMIT });
  await using subject = await policySource(dir.path);
  for (const text of [FORBID, PERMIT]) {
    await Deno.writeTextFile(`${dir.path}/.dev.cedar.tmp`, text);
    await Deno.rename(`${dir.path}/.dev.cedar.tmp`, `${dir.path}/dev.cedar`);
    await inForce(subject.heard, text);
  }
  assert.deepEqual(contents(subject.heard), [PERMIT, FORBID, PERMIT]);
});

Deno.test("saving by renaming the old file away and creating a new one is one change", async () => {
  await using dir = await directory({ "dev.cedar": PERMIT });
  await using subject = await policySource(dir.path);
  Deno.renameSync(`${dir.path}/dev.cedar`, `${dir.path}/dev.cedar~`);
  Deno.writeTextFileSync(`${dir.path}/dev.cedar`, FORBID);
  await inForce(subject.heard, FORBID);
  assert.deepEqual(contents(subject.heard), [PERMIT, FORBID]);
});

Deno.test("a file that vanished keeps its policies in force, and says so", async () => {
  await using dir = await directory({ "a.cedar": PERMIT, "b.cedar": FORBID });
  await using subject = await policySource(dir.path);
  await Deno.remove(`${dir.path}/b.cedar`);
  const refused = await eventually("a refusal", () => last(subject.heard, "refused"));
  assert.ok(refused.kind === "refused");
  assert.equal(refused.errors[0]!.code, "POLICY_FILE_VANISHED");
  assert.equal(refused.errors[0]!.at!.file, "b.cedar");
  assert.equal(content({ kind: "bundle", bundle: subject.source.bundle! }), PERMIT + FORBID);
  // Whoever starts to listen now hears both.
  await Deno.writeTextFile(`${dir.path}/b.cedar`, FORBID);
  await eventually("the file back", () => last(subject.heard, "bundle"));
});

Deno.test("a file that its operator removed leaves, and one that only vanished does not", async () => {
  const OTHER = FORBID.replaceAll('"forbid"', '"other"');
  await using dir = await directory({ "a.cedar": PERMIT, "b.cedar": FORBID, "c.cedar": OTHER });
  const meant: string[] = [];
  const begun = Date.now();
  await using subject = await policySource(
    dir.path,
    30_000,
    [],
    ({ file, text, sinceMs }) => meant.includes(file) && text === OTHER && sinceMs >= begun,
  );
  await Deno.remove(`${dir.path}/b.cedar`);
  await eventually("a refusal", () => last(subject.heard, "refused"));
  meant.push("c.cedar");
  await Deno.writeTextFile(`${dir.path}/b.cedar`, FORBID);
  await Deno.remove(`${dir.path}/c.cedar`);
  await inForce(subject.heard, PERMIT + FORBID);
  // Emptied is not removed, whatever was said.
  meant.push("b.cedar");
  await Deno.writeTextFile(`${dir.path}/b.cedar`, "");
  await eventually("another refusal", () => last(subject.heard, "refused"));
});

Deno.test("a file left with comments alone counts as emptied", async () => {
  await using dir = await directory({ "a.cedar": PERMIT, "b.cedar": FORBID });
  await using subject = await policySource(dir.path);
  await Deno.writeTextFile(`${dir.path}/b.cedar`, `// ${FORBID}`);
  const refused = await eventually("a refusal", () => last(subject.heard, "refused"));
  assert.ok(refused.kind === "refused");
  assert.equal(refused.errors[0]!.code, "POLICY_FILE_EMPTIED");
});

Deno.test("an invalid edit keeps the bundle in force, and says where it is wrong", async () => {
  await using dir = await directory({ "dev.cedar": PERMIT });
  await using subject = await policySource(dir.path);
  await Deno.writeTextFile(`${dir.path}/dev.cedar`, `${PERMIT}\nforbid (principal, action);`);
  const refused = await eventually("a refusal", () => last(subject.heard, "refused"));
  assert.ok(refused.kind === "refused");
  const { file, line } = refused.errors[0]!.at!;
  assert.deepEqual({ file, line }, { file: "dev.cedar", line: 3 });
  assert.equal(subject.source.bundle!.revision, 1);
  await Deno.writeTextFile(`${dir.path}/dev.cedar`, PERMIT + FORBID);
  await inForce(subject.heard, PERMIT + FORBID);
});

Deno.test("an invalid edit that is taken back is told as the bundle again", async () => {
  await using dir = await directory({ "dev.cedar": PERMIT });
  await using subject = await policySource(dir.path);
  await Deno.writeTextFile(`${dir.path}/dev.cedar`, "nonsense");
  await eventually("a refusal", () => last(subject.heard, "refused"));
  await Deno.writeTextFile(`${dir.path}/dev.cedar`, PERMIT);
  const update = await eventually("the bundle", () => last(subject.heard, "bundle"));
  assert.ok(update.kind === "bundle");
  assert.equal(update.bundle.revision, 2);
  assert.equal(content(update), PERMIT);
});

Deno.test("a file that is no text or no file is refused", async (t) => {
  const spoil: Record<string, (path: string) => Promise<unknown>> = {
    "not UTF-8": (path) => Deno.writeFile(path, new Uint8Array([0xff, 0xfe, 0x00])),
    "a directory": (path) => Deno.mkdir(path),
    "larger than a megabyte": (path) => Deno.writeTextFile(path, "/".repeat(1024 * 1024 + 1)),
  };
  for (const [name, act] of Object.entries(spoil)) {
    await t.step(name, async () => {
      await using dir = await directory({ "dev.cedar": PERMIT });
      await using subject = await policySource(dir.path);
      await act(`${dir.path}/other.cedar`);
      const refused = await eventually("a refusal", () => last(subject.heard, "refused"));
      assert.ok(refused.kind === "refused");
      assert.equal(refused.errors[0]!.code, "POLICY_FILE_UNREADABLE");
    });
  }
});

Deno.test("a deleted directory leaves nothing in force, until it is back whole", async () => {
  await using dir = await directory({ "a.cedar": PERMIT, "b.cedar": FORBID });
  await using subject = await policySource(dir.path);
  await Deno.remove(dir.path, { recursive: true });
  await eventually("the end", () => last(subject.heard, "gone"));
  assert.equal(subject.source.bundle, undefined);
  // Back without its forbids is not back.
  await Deno.mkdir(dir.path);
  await Deno.writeTextFile(`${dir.path}/a.cedar`, PERMIT);
  await eventually("a refusal", () => last(subject.heard, "refused"));
  assert.equal(subject.source.bundle, undefined);
  await Deno.writeTextFile(`${dir.path}/b.cedar`, FORBID);
  await inForce(subject.heard, PERMIT + FORBID);
  // The watch moved to the new directory: changes are quick again.
  await untouched(subject.heard, dir.path);
});

Deno.test("an emptied directory is files that vanished", async () => {
  await using dir = await directory({ "a.cedar": PERMIT });
  await using subject = await policySource(dir.path);
  await Deno.remove(`${dir.path}/a.cedar`);
  const refused = await eventually("a refusal", () => last(subject.heard, "refused"));
  assert.ok(refused.kind === "refused");
  assert.equal(refused.errors[0]!.code, "POLICY_FILE_VANISHED");
});

Deno.test("a directory that is replaced through its name is followed", async () => {
  await using parent = await directory({});
  const path = `${parent.path}/policies`;
  await Deno.mkdir(`${parent.path}/one`);
  await Deno.writeTextFile(`${parent.path}/one/dev.cedar`, PERMIT);
  await Deno.mkdir(`${parent.path}/two`);
  await Deno.writeTextFile(`${parent.path}/two/dev.cedar`, FORBID);
  await Deno.symlink("one", path);
  await using subject = await policySource(path);
  await inForce(subject.heard, PERMIT);
  await Deno.symlink("two", `${parent.path}/next`);
  await Deno.rename(`${parent.path}/next`, path);
  await inForce(subject.heard, FORBID);
});

Deno.test("the bundle in force comes again within its time to live", async () => {
  await using dir = await directory({ "dev.cedar": PERMIT });
  await using subject = await policySource(dir.path, 600);
  await eventually("the bundle three times", () => subject.heard.length >= 3 ? true : undefined);
  assert.deepEqual(new Set(subject.heard.map(content)), new Set([PERMIT]));
  const revisions = subject.heard.map((update) =>
    update.kind === "bundle" && update.bundle.revision
  );
  assert.deepEqual(new Set(revisions), new Set([1]));
});

Deno.test("a warning is told of a forbid that can never apply", async () => {
  await using dir = await directory({
    "dev.cedar": `${PERMIT}@id("never") forbid (principal, action, resource) when { false };`,
  });
  await using subject = await policySource(dir.path);
  assert.equal(subject.warnings.length, 1);
  assert.match(subject.warnings[0]!.message, /"never".*impossible/);
});

Deno.test("a change of the mapping is a change of the bundle, which names its digest", async () => {
  await using dir = await directory({ "dev.cedar": PERMIT });
  await using rules = await directory({ "rules.toml": "# one\n" });
  await using subject = await policySource(dir.path, 30_000, [`${rules.path}/rules.toml`]);
  const bundles = () =>
    subject.heard.flatMap((update) => update.kind === "bundle" ? [update.bundle] : []);
  await eventually("the first", () => bundles().length === 1 || undefined);
  await Deno.writeTextFile(`${rules.path}/rules.toml`, "# two\n");
  await eventually("the second", () => bundles().length === 2 || undefined);
  const [first, second] = bundles();
  assert.match(first!.mappingDigest!, /^[0-9a-f]{64}$/);
  assert.notEqual(first!.mappingDigest, second!.mappingDigest);
  assert.notEqual(first!.version, second!.version);
  await Deno.remove(`${rules.path}/rules.toml`);
  const refused = await eventually("a refusal", () => last(subject.heard, "refused"));
  assert.ok(refused.kind === "refused");
  assert.equal(refused.errors[0]!.code, "MAPPING_UNREADABLE");
});
