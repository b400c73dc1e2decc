import assert from "node:assert/strict";
import { join } from "node:path";
import { type FileRule, shapeByPolicy, shapedWithin } from "../../src/sandbox/file_rule.ts";
import { mountArguments, readOnly } from "../../src/sandbox/mounts.ts";
import { mountPlan } from "../../src/sandbox/mount_plan.ts";

const CANDIDATES = {
  cwd: "/home/a/p",
  settings: ["/home/a/.agent", "/home/a/.other"],
  readable: ["/home/a/notes"],
  toolchains: [readOnly("/home/a/tools")],
};

const forbidding = (...forbidden: readonly string[]): FileRule => (access, path) =>
  forbidden.includes(`${access} ${path}`) ? ["mine"] : [];

Deno.test("shapeByPolicy() leaves everything as it is without policies, and with ones that forbid nothing", () => {
  for (const rule of [undefined, forbidding()]) {
    const { cwd: _, ...rest } = CANDIDATES;
    assert.deepEqual(shapeByPolicy(CANDIDATES, rule), {
      ...rest,
      cwdAccess: "writable",
      shaped: [],
    });
  }
});

Deno.test("shapeByPolicy() makes what may not be written read-only, and leaves out what may not be read", () => {
  const rule = forbidding(
    ...["write /home/a/p", "write /home/a/.agent", "read /home/a/.other"],
    ...["read /home/a/notes", "read /home/a/tools"],
  );
  const { shaped, ...rest } = shapeByPolicy(CANDIDATES, rule);
  assert.deepEqual(rest, {
    settings: [],
    readable: ["/home/a/.agent"],
    toolchains: [],
    cwdAccess: "read-only",
  });
  assert.deepEqual(shaped.map(({ path, access }) => `${path} ${access}`).sort(), [
    "/home/a/.agent read-only",
    "/home/a/.other hidden",
    "/home/a/notes hidden",
    "/home/a/p read-only",
    "/home/a/tools hidden",
  ]);
  assert.equal(shaped[0]!.why, 'policy "mine" forbids filesystem.read');
});

// Attack: a link to what may not be read lies among what may.
Deno.test("shapeByPolicy() asks about the end of a link as well", async () => {
  const root = await Deno.realPath(await Deno.makeTempDir());
  try {
    await Deno.mkdir(join(root, "real"));
    await Deno.symlink(join(root, "real"), join(root, "link"));
    const { readable } = shapeByPolicy(
      { ...CANDIDATES, readable: [join(root, "link")] },
      forbidding(`read ${root}/real`),
    );
    assert.deepEqual(readable, []);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

// Attack: what is hidden would be seen through the workspace that it lies in.
Deno.test("shapedWithin() finds what would be seen through something else", () => {
  const shaped = ["/home/a/p/.agent", "/home/a/.agent"]
    .map((path) => ({ path, access: "read-only", why: "" }) as const);
  assert.deepEqual(
    shapedWithin(shaped, ["/home/a/p", "/home/a/.agent"]).map(({ path }) => path),
    ["/home/a/p/.agent"],
  );
});

Deno.test("mountPlan() keeps a read-only workspace read-only, and what is frozen in a writable one", () => {
  const options = {
    ...{ system: [], home: "/home/a", toolchains: [], settings: [], readable: [] },
    ...{ cwd: "/home/a/p", programs: [], locked: [], covered: [], replaced: [] },
    ...{ publicDir: "/public", privateMounts: [] },
    sealed: ["/home/a/p/sub/.firma"],
  };
  const text = mountArguments(mountPlan({ ...options, cwdAccess: "read-only" })).join(" ");
  assert.doesNotMatch(text, /--bind /);
  const frozen = mountArguments(mountPlan({ ...options, frozen: ["/home/a/p/x/y"] })).join(" ");
  assert.match(
    frozen,
    /--bind \/home\/a\/p .*--bind \/home\/a\/p\/x \/home\/a\/p\/x .*--ro-bind \/home\/a\/p\/x\/y /,
  );
});
