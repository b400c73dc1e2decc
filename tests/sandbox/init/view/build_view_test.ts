import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { canBuildView, firstView } from "../../../../src/sandbox/first_view.ts";
import { HOST_VIEW } from "../../../../src/sandbox/handoff.ts";
import { type Mount, readOnly, writable } from "../../../../src/sandbox/mounts.ts";
import { IDENTITIES, World } from "../../support/world.ts";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));

const SCRIPT = `
const [module, mounts, ...paths] = Deno.args;
const { buildView } = await import(module);
const flags = new Int32Array(new SharedArrayBuffer(4));
const watcher = new Worker(URL.createObjectURL(new Blob([\`(\${watch})()\`])), { type: "module" });
const told = () => new Promise((resolve) => watcher.onmessage = ({ data }) => resolve(data));
watcher.postMessage(flags);
await told();
let failure = "";
try {
  buildView(JSON.parse(mounts));
} catch (error) {
  failure = error.message;
}
const found = (path) => {
  try {
    return Deno.statSync(path).isDirectory ? "directory" : Deno.readTextFileSync(path);
  } catch (error) {
    return error.name;
  }
};
Atomics.store(flags, 0, 1);
console.log(JSON.stringify({ failure, found: paths.map(found), lost: await told() }));
watcher.terminate();

/** In a thread of its own: asks where it is until told to stop, and says how often nobody knew. */
function watch() {
  self.onmessage = ({ data: flags }) => {
    self.postMessage("watching");
    let lost = 0;
    while (Atomics.load(flags, 0) === 0) {
      try {
        Deno.cwd();
      } catch {
        lost++;
      }
    }
    self.postMessage(lost);
  };
}
`;

/** Builds a view as `__init` does, and tells what is at some paths then. */
async function build(mounts: readonly Mount[], directory: string, paths: readonly string[]) {
  const probe = join(directory, "probe.ts");
  await Deno.writeTextFile(probe, SCRIPT);
  const inPlace = [Deno.execPath(), ROOT].map(readOnly);
  const view = firstView(inPlace, readOnly(probe));
  const module = join(ROOT, "src/sandbox/init/view/build_view.ts");
  const { stdout, stderr } = await new Deno.Command("bwrap", {
    args: [
      ...["--unshare-all", "--unshare-user", "--uid", "0", "--gid", "0", "--cap-add", "ALL"],
      ...[...view, "--chdir", "/", "--setenv", "DENO_DIR", "/run/firma-private/deno-dir", "--"],
      ...[Deno.execPath(), "run", "-A", "--quiet", "--no-config", "--no-lock", "--no-remote"],
      ...[probe, `file://${module}`, JSON.stringify(mounts), ...paths],
    ],
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert.notEqual(text, "", new TextDecoder().decode(stderr));
  const { failure, found, lost } = JSON.parse(text);
  // A thread that loads while the view is built asks where it is (getcwd(2)).
  assert.equal(lost, 0, "a thread of the same process had no working directory meanwhile");
  return { failure, found } as { failure: string; found: string[] };
}

Deno.test("canBuildView() finds the calls of a kernel since 5.12", () => {
  const [major, minor] = Deno.osRelease().split(".").map(Number) as [number, number];
  assert.equal(canBuildView(), major > 5 || major === 5 && minor >= 12);
});

Deno.test({
  name: "buildView() follows no link that appeared where a source was, and makes nothing outside",
  ignore: !canBuildView(),
  fn: async (t) => {
    const directory = await Deno.realPath(await Deno.makeTempDir());
    const at = (name: string) => join(directory, name);
    for (const name of ["shown", "secret", "secret/below"]) await Deno.mkdir(at(name));
    await Deno.writeTextFile(at("secret/key"), "key");
    await Deno.writeTextFile(at("shown/file"), "file");

    await t.step("what is shown is there, and of what was before nothing is", async () => {
      const view = [writable(at("shown")), { kind: "processes", target: "/proc" } as const];
      const paths = [at("shown/file"), at("secret/key"), join(HOST_VIEW, at("secret/key"))];
      const { failure, found } = await build(view, directory, [...paths, "/proc/1/root/host"]);
      assert.deepEqual([failure, found], ["", ["file", "NotFound", "NotFound", "NotFound"]]);
    });
    await t.step("a source that is a link by now", async () => {
      await Deno.symlink(at("secret"), at("linked"));
      const straight = await build([readOnly(at("secret"))], directory, [at("secret/key")]);
      assert.deepEqual(straight, { failure: "", found: ["key"] });
      for (const source of [at("linked"), at("linked/below"), join(directory, "shown/../linked")]) {
        const bind = { kind: "bind", source, target: at("secret") } as const;
        const { failure } = await build([bind], directory, []);
        assert.match(failure, /^Cannot show ".*": find ".*": error number 40$/); // ELOOP
      }
    });
    await t.step("a link in the workspace to what a mount point would be made in", async () => {
      await Deno.symlink(join(HOST_VIEW, at("secret")), at("shown/out"));
      const memory = (target: string): Mount => ({ kind: "memory", target });
      const view = (name: string) => [writable(at("shown")), memory(at(`shown/${name}/new`))];
      assert.equal((await build(view("in"), directory, [])).failure, "");
      assert.ok(Deno.statSync(at("shown/in/new")).isDirectory);
      assert.match((await build(view("out"), directory, [])).failure, /error number 17$/); // EEXIST
      assert.throws(() => Deno.statSync(at("secret/new")), Deno.errors.NotFound);
    });
    await t.step("what cannot be shown is said", async () => {
      const { failure } = await build([readOnly(at("gone"))], directory, []);
      assert.equal(failure, `Cannot show "${at("gone")}": find "${at("gone")}": error number 2`);
    });
    await Deno.remove(directory, { recursive: true });
  },
});

/**
 * Of each mount what it shows, where, and with which flags; the root's own place is nobody's. Without
 * sockets of other programs on this machine, which are covered: whichever there are just now.
 */
function mounts(text: string): string[] {
  return text.trim().split("\n").map((line) => {
    const [, , , root, target, ...rest] = line.split(" ");
    const flags = rest.join(" ").replace(/ master:\d+/, " slave").replace(/,mode=755\b/, "");
    return target === "/" ? `/ ${flags}` : `${root} ${target} ${flags}`;
  }).map((line) => line.replace(/sbx_\d+/g, "sbx"))
    .filter((line) => !/^\/null .*\.sock /.test(line));
}

for (const identity of IDENTITIES) {
  Deno.test({
    name: `buildView() shows ${identity.name} what bwrap would, from the same mounts`,
    ignore: !canBuildView(),
    fn: async () => {
      using world = new World(identity);
      world.plant("home/project/.vscode/tasks.json", "{}");
      world.plant("home/.claude/settings.json", "{}");
      world.own();
      const look = "cat /proc/self/mountinfo; echo; " +
        "find / ~ /dev /run /etc -maxdepth 1 -printf '%p %y %m %U %l\\n' | sort -u";
      const shownBy = async (options: { viewBuilder?: "bwrap" }) => {
        const { code, stdout, stderr } = await world.run(["sh", "-c", look], options);
        assert.equal(code, 0, stderr);
        return stdout.split("\n\n") as [string, string];
      };
      const own = await shownBy({});
      const bwrap = await shownBy({ viewBuilder: "bwrap" });
      const handoff = " /run/firma-private/handoff.sock ";
      const shown = mounts(bwrap[0]);
      assert.ok(shown.some((line) => line.includes(handoff)), "bwrap built nothing");
      assert.deepEqual(mounts(own[0]), shown.filter((line) => !line.includes(handoff)));
      assert.equal(own[1], bwrap[1]);
    },
  });
}
