import assert from "node:assert/strict";
import fc from "fast-check";
import { packet } from "../../../src/mapping/decoders/git_pkt_line.ts";
import { gitReceivePack } from "../../../src/mapping/decoders/git_receive_pack.ts";
import { GitRepository } from "./git_repositories.ts";
import { classes, decoded, input, MALFORMED, refusal, type Sketch } from "./support.ts";

const A = "a".repeat(40);
const B = "b".repeat(40);
const ZERO = "0".repeat(40);
const TYPE = [["content-type", "application/x-git-receive-pack-request"]] as const;

const bytes = (text: string) => new TextEncoder().encode(text);

function join(...parts: (string | Uint8Array)[]): Uint8Array {
  const pieces = parts.map((part) => typeof part === "string" ? bytes(part) : part);
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

const line = (text: string) => packet(bytes(text));

function push(body: Uint8Array | string, url = "https://github.com/Acme/Rocket.git"): Sketch {
  return { url: `${url}/git-receive-pack`, headers: TYPE, body, actionClass: "code.write" };
}

const REPOSITORY = { git_provider: "github", git_owner: "acme", git_repo: "rocket" };
const CAPABILITIES = "\0 report-status side-band-64k agent=git/2.39";

Deno.test("gitReceivePack() tells creation, change and deletion of each ref apart", () => {
  const body = join(
    line(`${ZERO} ${A} refs/heads/new${CAPABILITIES}\n`),
    line(`${A} ${B} refs/heads/main\n`),
    line(`${A} ${ZERO} refs/tags/v1\n`),
    line(`${A} ${A} refs/notes/same\n`),
    "0000",
  );
  assert.deepEqual(decoded(gitReceivePack, push(body)), [
    ["code.write", {
      ...REPOSITORY,
      git_ref: "refs/heads/new",
      git_ref_type: "branch",
      git_operation: "create",
      git_forced: false,
    }],
    ["code.write", {
      ...REPOSITORY,
      git_ref: "refs/heads/main",
      git_ref_type: "branch",
      git_operation: "update",
      git_forced: true,
    }],
    ["code.destructive", {
      ...REPOSITORY,
      git_ref: "refs/tags/v1",
      git_ref_type: "tag",
      git_operation: "delete",
      git_forced: true,
    }],
    ["code.write", {
      ...REPOSITORY,
      git_ref: "refs/notes/same",
      git_ref_type: "ref",
      git_operation: "update",
      git_forced: false,
    }],
  ]);
});

Deno.test("gitReceivePack() takes git's probe for what it is: nothing is changed", () => {
  assert.deepEqual(decoded(gitReceivePack, push("0000")), [
    ["code.write", { ...REPOSITORY, git_operation: "read" }],
  ]);
});

Deno.test("gitReceivePack() hands push options to policies", () => {
  const body = join(
    line(`${ZERO} ${A} refs/heads/new\0push-options`),
    "0000",
    line("merge_request.create\n"),
    "0000",
  );
  const [operation] = decoded(gitReceivePack, push(body));
  assert.deepEqual(
    (operation as unknown[])[1],
    {
      ...REPOSITORY,
      git_ref: "refs/heads/new",
      git_ref_type: "branch",
      git_operation: "create",
      git_forced: false,
      git_push_options: ["merge_request.create"],
    },
  );
});

const GOOD = `${A} ${B} refs/heads/main`;
const REFUSED: Record<string, Uint8Array | string> = {
  "nothing": "",
  "commands that do not end": line(GOOD),
  "a length that is no number": `zzzz${GOOD}`,
  "a packet of protocol version 2": join("0001", line(GOOD), "0000"),
  "a packet that is too short to be one": join("0003", "0000"),
  "an empty command": join("0004", "0000"),
  "a name that is no ref": join(line(`${A} ${B} HEAD`), "0000"),
  "a name with dots in it": join(line(`${A} ${B} refs/heads/../main`), "0000"),
  "a name with two slashes": join(line(`${A} ${B} refs/heads//main`), "0000"),
  "a name with a control character": join(line(`${A} ${B} refs/heads/ma\x01in`), "0000"),
  "a name that is not UTF-8": join(
    packet(join(`${A} ${B} refs/heads/`, new Uint8Array([0xff]))),
    "0000",
  ),
  "identifiers of two lengths": join(line(`${A} ${"b".repeat(64)} refs/heads/main`), "0000"),
  "a tab for a space": join(line(`${A}\t${B} refs/heads/main`), "0000"),
  "more commands than anybody needs": join(
    ...Array.from({ length: 501 }, (_, i) => line(`${A} ${B} refs/heads/b${i}`)),
    "0000",
  ),
};
for (const [what, body] of Object.entries(REFUSED)) {
  Deno.test(`gitReceivePack() refuses ${what}`, () => {
    assert.equal(classes(gitReceivePack, push(body)), MALFORMED);
  });
}

Deno.test("gitReceivePack() hides no second command behind the first", () => {
  const hidden = join(
    line(`${ZERO} ${A} refs/heads/feature\0 report-status\n`),
    line(`${A} ${ZERO} refs/heads/main\0`),
    "0000",
  );
  assert.deepEqual(classes(gitReceivePack, push(hidden)), ["code.write", "code.destructive"]);
});

Deno.test("gitReceivePack() reads identifiers in upper case as git does", () => {
  const body = join(line(`${A.toUpperCase()} ${A} refs/heads/main`), "0000");
  const [operation] = decoded(gitReceivePack, push(body));
  assert.equal((operation as [string, Record<string, unknown>])[1].git_forced, false);
});

Deno.test("gitReceivePack() wants the content type of a push", () => {
  const body = join(line(GOOD), "0000");
  assert.deepEqual(classes(gitReceivePack, push(body)), ["code.write"]);
  for (const headers of [[], [["content-type", "text/plain"]], [...TYPE, ...TYPE]] as const) {
    assert.equal(classes(gitReceivePack, { ...push(body), headers }), MALFORMED);
  }
});

Deno.test("gitReceivePack() names a repository in one way however it is spelt", () => {
  const body = join(line(GOOD), "0000");
  const repository = (url: string) => {
    const found = decoded(gitReceivePack, push(body, url));
    if (typeof found === "string") return found;
    const { git_provider, git_owner, git_repo } = found[0]![1];
    return [git_provider, git_owner, git_repo];
  };
  const acme = ["github", "acme", "rocket"];
  for (const path of ["acme/rocket", "ACME/Rocket.git", "acme/rocket.GIT", "%61cme/rocket"]) {
    assert.deepEqual(repository(`https://github.com/${path}`), acme, path);
  }
  assert.deepEqual(repository("https://gitlab.com/a/b/c.git"), ["gitlab", "a/b", "c"]);
  assert.deepEqual(repository("https://gist.github.com/0123.git"), ["github", "", "0123"]);
  assert.deepEqual(repository("https://git.firma.test/t/x"), ["git.firma.test", "t", "x"]);
  assert.equal(repository("https://github.com/acme/rocket.git.git"), MALFORMED);
});

function forced(
  oldId: string,
  newId: string,
  pack: Uint8Array,
  ref = "refs/heads/main",
): unknown {
  const body = join(line(`${oldId} ${newId} ${ref}${CAPABILITIES}`), "0000", pack);
  const found = decoded(gitReceivePack, push(body));
  assert.ok(typeof found !== "string", String(found));
  return found[0]![1].git_forced;
}

for (const format of ["sha1", "sha256"]) {
  Deno.test(`gitReceivePack() tells a fast-forward from a forced push by the pack (${format})`, async () => {
    await using repository = await GitRepository.create(format);
    const base = await repository.commit("base");
    const one = await repository.commit("one", base);
    const two = await repository.commit("two", one);
    const side = await repository.commit("side", base);
    const merge = await repository.commit("merge", two, side);
    const amended = await repository.commit("amended", base);

    assert.equal(forced(one, two, await repository.pack(two, one)), false);
    assert.equal(forced(base, two, await repository.pack(two, base)), false);
    assert.equal(forced(one, merge, await repository.pack(merge, one)), false);
    assert.equal(forced(side, merge, await repository.pack(merge, side)), false);

    assert.equal(forced(one, amended, await repository.pack(amended, one)), true);
    // Back to where it was: the server has all of it, the pack is empty.
    assert.equal(forced(two, base, await repository.pack(base, two)), true);
    // A tag that moves is forced wherever it moves.
    const pack = await repository.pack(two, one);
    assert.equal(forced(one, two, pack, "refs/tags/v1"), true);
  });
}

Deno.test("gitReceivePack() finds the commits of a history with deltas in it", async () => {
  await using repository = await GitRepository.create();
  const first = await repository.commit("first");
  let last = first;
  const long = "a line that comes again and again in every message\n".repeat(20);
  for (let i = 0; i < 30; i++) last = await repository.commit(`${long}${i}`, last);
  const pack = await repository.pack(last, first);
  assert.equal(forced(first, last, pack), false);
});

Deno.test("gitReceivePack() believes no pack that lies", async () => {
  await using repository = await GitRepository.create();
  const base = await repository.commit("base");
  const one = await repository.commit("one", base);
  const rewritten = await repository.commit("rewritten", base);
  const honest = await repository.pack(one, base);
  assert.equal(forced(base, one, honest), false);
  // The pack of a harmless push under the name of another commit.
  assert.equal(forced(base, rewritten, honest), true);
  // Cut before its commits, and no pack at all.
  assert.equal(forced(base, one, honest.subarray(0, 20)), true);
  assert.equal(forced(base, one, new Uint8Array()), true);
  const broken = honest.slice();
  broken[20]! ^= 0xff;
  assert.equal(forced(base, one, broken), true);
});

Deno.test("gitReceivePack() works with the beginning of a push", async () => {
  await using repository = await GitRepository.create();
  const base = await repository.commit("base");
  const noise = Array.from({ length: 2_000 }, () => crypto.randomUUID()).join("\n");
  const large = await repository.commit(noise, base);
  const pack = await repository.pack(large, base);
  assert.ok(pack.length > 40_000);
  // The message of the commit is as long as the file.
  assert.equal(forced(base, large, pack.subarray(0, -100)), false);
  assert.equal(forced(base, large, pack.subarray(0, 1_000)), true);
});

Deno.test("gitReceivePack() never throws and is quick, whatever the bytes", () => {
  const start = join(line(`${A} ${B} refs/heads/main`), "0000", "PACK");
  const head = new Uint8Array([0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff]);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (noise, asPack) => {
      const body = asPack ? join(start, head, noise) : noise;
      const result = gitReceivePack.decode(input(push(body)));
      assert.ok(result.ok || result.error.code === MALFORMED);
    }),
    { numRuns: 500 },
  );
});

Deno.test("gitReceivePack() says what is wrong with a push", () => {
  assert.equal(
    refusal(gitReceivePack, push(join(line(`${A} ${B} main`), "0000"))),
    'Cannot read the push: "main" is not the name of a ref',
  );
});
