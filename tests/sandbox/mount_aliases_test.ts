import assert from "node:assert/strict";
import { join } from "node:path";
import { aliasesOf, parseMountInfo } from "../../src/sandbox/mount_aliases.ts";
import { IDENTITIES, World } from "./support/world.ts";

const MOUNTS = parseMountInfo(`21 1 254:0 / / rw,relatime - ext4 /dev/vda rw
22 21 254:0 /srv/data /mnt/data rw - ext4 /dev/vda rw
23 21 254:0 /home/a/p/.firma/policies /home/a/p/a\\040b rw - ext4 /dev/vda rw
24 21 0:30 / /home/b rw - tmpfs tmpfs rw
25 24 0:30 /p /other rw - tmpfs tmpfs rw
26 21 254:0 /home/a /view/a rw - ext4 /dev/vda rw

`);

/** A place, and the others where it can be had as well. */
const CASES: Readonly<Record<string, readonly string[]>> = {
  "/home/a/p/.firma": ["/home/a/p/a b", "/view/a/p/.firma"],
  "/srv/data/x": ["/mnt/data/x"],
  "/mnt/data/x": ["/srv/data/x"],
  "/srv": ["/mnt/data"],
  "/srv/database": [],
  "/home/b/p/.firma": ["/other/.firma"],
  "/other/.firma": ["/home/b/p/.firma"],
  "/etc": [],
};

for (const [path, expected] of Object.entries(CASES)) {
  Deno.test(`aliasesOf() finds ${expected.join(" and ") || "nothing"} for ${path}`, () => {
    assert.deepEqual(aliasesOf(path, MOUNTS), expected);
  });
}

// Attack: what is sealed is mounted at another place of the workspace as well.
Deno.test({
  name: "confine() seals a directory wherever it is mounted",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    using world = new World(IDENTITIES[0]!);
    const sealed = join(world.project, ".firma");
    world.plant("home/project/.firma/policies/dev.cedar", "permit;");
    world.plant("home/project/alias/.keep", "");
    world.plant("home/project/one.cedar", "");
    const binds = "mount --bind .firma alias; mount --bind .firma/policies/dev.cedar one.cedar; " +
      'exec "$@"';
    const wrapper = ["unshare", "--mount", "sh", "-c", binds, "sh"];
    const script = "ls alias; cat one.cedar; echo x >one.cedar; echo x >alias/new; true";
    const { stdout, stderr } = await world.run(["sh", "-c", script], {
      sealedDirs: [sealed],
      wrapper,
    });
    assert.equal(stdout, "", stderr);
    assert.match(stderr, /alias\/new: Read-only file system/);
    assert.equal(Deno.readTextFileSync(join(sealed, "policies/dev.cedar")), "permit;");
    // Without the seal, the alias shows and takes everything.
    const open = await world.run(["sh", "-c", "ls alias"], { wrapper });
    assert.equal(open.stdout, "policies\n", open.stderr);
  },
});
