import assert from "node:assert/strict";
import { mountArguments } from "../../src/sandbox/mounts.ts";
import { mountPlan, type MountPlanOptions } from "../../src/sandbox/mount_plan.ts";

function argumentsOf(options: Partial<MountPlanOptions>): string {
  return mountArguments(mountPlan({
    system: [],
    home: "/home/a",
    toolchains: [],
    settings: [],
    readable: [],
    cwd: "/home/a/p",
    programs: [],
    locked: [],
    sealed: [],
    covered: [],
    replaced: [],
    publicDir: "/state/public",
    privateMounts: [],
    ...options,
  })).join(" ");
}

function assertInOrder(text: string, ...pieces: string[]): void {
  let from = 0;
  for (const piece of pieces) {
    const at = text.indexOf(piece, from);
    assert.notEqual(at, -1, `"${piece}" after ${from} in "${text}"`);
    from = at + piece.length;
  }
}

Deno.test("mountPlan() covers the home, then shows the workspace, then covers what it hides", () => {
  const text = argumentsOf({
    system: [{ kind: "bind", source: "/usr", target: "/usr" }],
    settings: ["/home/a/.agent"],
    sealed: ["/home/a/p/.firma"],
    covered: ["/home/a/p/s.sock"],
    programs: ["/home/a/p/dist/firma"],
  });
  assertInOrder(
    text,
    "--tmpfs /tmp",
    "--ro-bind /usr /usr",
    "--tmpfs /home/a",
    "--bind /home/a/.agent /home/a/.agent",
    "--bind /home/a/p /home/a/p",
    "--ro-bind /home/a/p/dist/firma /home/a/p/dist/firma",
    "--tmpfs /home/a/p/.firma --remount-ro /home/a/p/.firma",
    "--ro-bind /dev/null /home/a/p/s.sock",
    "--ro-bind /state/public /run/firma",
    "--tmpfs /run/firma-private",
    "--remount-ro /",
  );
});

Deno.test("mountPlan() seals nothing that is not shown: a mount point would be made for it", () => {
  const text = argumentsOf({ sealed: ["/home/a/.firma", "/state", "/home/a/project/.firma"] });
  assert.doesNotMatch(text, /\.firma|remount-ro \/state/);
});

// Bug: with FIRMA_STATE_DIR in the workspace, bwrap could make no mount point for the run's directory
// in the state's, which reads as empty.
Deno.test("mountPlan() seals what lies in something sealed with that, in whatever order", () => {
  for (const sealed of [["/home/a/p/state", "/home/a/p/state/run/x"], ["/home/a/p/state/run/x"]]) {
    const text = argumentsOf({ sealed: [...sealed, "/home/a/p/state", "/home/a/p/state-not"] });
    assertInOrder(text, "--tmpfs /home/a/p/state ", "--tmpfs /home/a/p/state-not ");
    assert.doesNotMatch(text, /state\/run/);
  }
});

Deno.test("mountPlan() makes every directory above a covered one a mount point", () => {
  const text = argumentsOf({ sealed: ["/home/a/p/x/y/.firma"] });
  assertInOrder(
    text,
    "--bind /home/a/p /home/a/p",
    "--bind /home/a/p/x /home/a/p/x",
    "--bind /home/a/p/x/y /home/a/p/x/y",
    "--tmpfs /home/a/p/x/y/.firma",
  );
});

Deno.test("mountPlan() protects firma's own program only where the agent could write it", () => {
  const text = argumentsOf({ programs: ["/opt/firma/src"] });
  assert.doesNotMatch(text, /opt/);
});
