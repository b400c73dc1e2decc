import assert from "node:assert/strict";
import { join } from "node:path";
import { type EtcOptions, gatherEtc } from "../../src/sandbox/gathered_etc.ts";
import { type Mount, readOnly } from "../../src/sandbox/mounts.ts";

/** A directory with files of a host, and one to gather in. */
class Rig implements AsyncDisposable {
  readonly host: string;
  readonly directory: string;

  constructor(readonly base: string) {
    this.host = join(base, "host");
    this.directory = join(base, "etc");
    Deno.mkdirSync(this.host);
  }

  static async make(): Promise<Rig> {
    return new Rig(await Deno.makeTempDir());
  }

  /** A file of the host that is to be shown in `/etc`. */
  file(name: string, text: string): Mount {
    const source = join(this.host, name);
    Deno.writeTextFileSync(source, text);
    return { kind: "bind", source, target: `/etc/${name}` };
  }

  gather(system: readonly Mount[], more: Partial<EtcOptions> = {}) {
    const { directory } = this;
    const etc = gatherEtc({ directory, system, texts: { passwd: "ours" }, covered: [], ...more });
    const mounted = etc.system.find(({ target }) => target === "/etc");
    assert(mounted?.kind === "bind" && !mounted.writable);
    return { ...etc, path: mounted.source };
  }

  /** How many directories it keeps. */
  kept(): number {
    return [...Deno.readDirSync(this.directory)].filter((entry) => entry.isDirectory).length;
  }

  async [Symbol.asyncDispose]() {
    await Deno.remove(this.base, { recursive: true });
  }
}

Deno.test("gatherEtc() puts files and links into one directory, and mounts that", async () => {
  await using rig = await Rig.make();
  const link = { kind: "symlink", target: "/etc/localtime", pointsTo: "/usr/zone" } as const;
  const profile = rig.file("profile", "text");
  const nested = { ...profile, target: "/etc/default/profile" } as Mount;
  const { path, system } = rig.gather([readOnly("/usr"), profile, nested, link]);
  assert.deepEqual(system, [readOnly("/usr"), { kind: "bind", source: path, target: "/etc" }]);
  assert.equal(await Deno.readTextFile(join(path, "profile")), "text");
  assert.equal(await Deno.readTextFile(join(path, "default/profile")), "text");
  assert.equal(await Deno.readLink(join(path, "localtime")), "/usr/zone");
  assert.equal(await Deno.readTextFile(join(path, "passwd")), "ours");
});

Deno.test("gatherEtc() leaves directories to be mounted, after the one that they lie in", async () => {
  await using rig = await Rig.make();
  const certificates: Mount = { kind: "bind", source: rig.host, target: "/etc/ssl/certs" };
  const { path, system } = rig.gather([certificates]);
  assert.deepEqual(system, [{ kind: "bind", source: path, target: "/etc" }, certificates]);
  assert((await Deno.stat(join(path, "ssl/certs"))).isDirectory);
});

Deno.test("gatherEtc() copies nothing that must read as nothing", async () => {
  await using rig = await Rig.make();
  const npmrc = rig.file("npmrc", "token");
  const { path } = rig.gather([npmrc], { covered: ["/etc/npmrc"] });
  assert.equal(await Deno.readTextFile(join(path, "npmrc")), "");
  const shown = rig.gather([npmrc]);
  assert.equal(await Deno.readTextFile(join(shown.path, "npmrc")), "token");
});

Deno.test("gatherEtc() mounts large files, which would take longer to copy", async () => {
  await using rig = await Rig.make();
  const magic = rig.file("magic", "x".repeat(600 * 1024));
  const { path, system } = rig.gather([magic]);
  assert.deepEqual(system.slice(1), [magic]);
  assert.equal((await Deno.stat(join(path, "magic"))).size, 0);
});

Deno.test("gatherEtc() makes a directory once, and another when something of it changes", async () => {
  await using rig = await Rig.make();
  const mounts = [rig.file("profile", "old"), rig.file("shells", "sh")];
  using first = rig.gather(mounts);
  using same = rig.gather(mounts);
  assert.equal(same.path, first.path);
  using texts = rig.gather(mounts, { texts: { passwd: "another" } });
  assert.notEqual(texts.path, first.path);
  rig.file("profile", "newer");
  using changed = rig.gather(mounts);
  assert.notEqual(changed.path, first.path);
  assert.equal(await Deno.readTextFile(join(changed.path, "profile")), "newer");
  assert.equal(await Deno.readTextFile(join(first.path, "profile")), "old");
  assert.equal(rig.kept(), 3);
});

Deno.test("gatherEtc() removes what no run uses any more, and nothing that one does", async () => {
  await using rig = await Rig.make();
  const used = rig.gather([rig.file("profile", "1")]);
  rig.gather([rig.file("profile", "22")])[Symbol.dispose]();
  rig.gather([rig.file("profile", "333")])[Symbol.dispose]();
  assert.equal(await Deno.readTextFile(join(used.path, "profile")), "1");
  assert.equal(rig.kept(), 2);
  used[Symbol.dispose]();
  rig.gather([rig.file("profile", "4444")])[Symbol.dispose]();
  assert.equal(rig.kept(), 1);
});

Deno.test("gatherEtc() leaves nothing behind where it fails, and works the next time", async () => {
  await using rig = await Rig.make();
  const profile = rig.file("profile", "text");
  assert.throws(() => rig.gather([profile], { texts: { "no/such/directory": "" } }));
  assert.equal(rig.kept(), 0);
  const { path } = rig.gather([profile]);
  assert.equal(await Deno.readTextFile(join(path, "profile")), "text");
});
