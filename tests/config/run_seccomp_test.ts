import assert from "node:assert/strict";
import { checkKeys } from "../../src/config/schema.ts";

const file = (lines: string) =>
  `[sidecar.authority]\nagent_id = "agt_01h455vb4pex5vsknk084sn02q"\n[run.seccomp]\n${lines}\n`;

Deno.test("[run.seccomp] takes calls of either machine and resolves its file", () => {
  const read = checkKeys(
    file('deny = ["memfd_create", "open"]\npolicy = "more.toml"'),
    "/p/f.toml",
  );
  assert.ok(read.ok);
  const { deny, policy } = read.value.root.run.seccomp;
  assert.deepEqual([deny, policy], [["memfd_create", "open"], "/p/more.toml"]);
});

Deno.test("[run.seccomp] refuses nothing by default", () => {
  const read = checkKeys(file(""), "/p/f.toml");
  assert.ok(read.ok);
  assert.deepEqual(read.value.root.run.seccomp, { deny: [], policy: undefined });
});

const REFUSED: Readonly<Record<string, [string, RegExp, RegExp, number]>> = {
  "a call that there is not": [
    'deny = [\n"mount",\n"mknodta"]',
    /run\.seccomp\.deny\[1\]": there is no system call "mknodta"/,
    /did you mean "mknodat"/,
    6,
  ],
  "a call without which nothing starts": [
    'deny = ["mmap"]',
    /no program would start without "mmap"/,
    /leave it out/,
    4,
  ],
  "a key that would permit": ['allow = ["mount"]', /there is no such key/, /deny, policy/, 4],
  "the key that OpenFirma has": [
    '[run]\nseccomp_policy = "x"',
    /seccomp_policy/,
    /\[run\.seccomp\]/,
    5,
  ],
};

for (const [name, [lines, message, cure, line]] of Object.entries(REFUSED)) {
  Deno.test(`[run.seccomp] refuses ${name}, and says where`, () => {
    const read = checkKeys(file(lines), "/p/f.toml");
    assert.ok(!read.ok);
    const [fault] = read.error;
    assert.match(fault!.message, message);
    assert.match(fault!.cure ?? "", cure);
    assert.equal(fault!.at?.line, line);
  });
}
