import assert from "node:assert/strict";
import { checkWorkspace } from "../../src/sandbox/workspace.ts";

const HOMES = ["/home/a", "/data/homes/a"];
const HIDDEN = ["/home/a/.local/share/firma", "/srv/state", "/home/a/project/.firma"];

const CASES: Readonly<Record<string, boolean>> = {
  "/": false,
  "/home": false,
  "/home/a": false,
  "/data/homes/a": false,
  "/data/homes": false,
  "/data": false,
  "/home/a/project": true,
  "/home/a/project/.firma": false,
  "/home/a/project/.firma/policies": false,
  "/home/a/project/.firma-not": true,
  "/home/ab": true,
  "/home/a/.local/share/firma/keys": false,
  "/srv/state/run": false,
  "/srv": true, // what it hides is sealed
  "/usr": false,
  "/usr/src/app": true,
  "/opt/app": true,
  "/etc": false,
  "/etc/ssl": false,
  "/tmp": false,
  "/tmp/project": true,
  "/var": false,
  "/var/www": true,
  "/run/user/1000": false,
  "/proc/self": false,
  "/dev/shm/project": false,
};

for (const [cwd, allowed] of Object.entries(CASES)) {
  Deno.test(`checkWorkspace() ${allowed ? "allows" : "refuses"} ${cwd}`, () => {
    const result = checkWorkspace({ cwd, homes: HOMES, hidden: HIDDEN });
    assert.equal(result.ok, allowed);
    if (!result.ok) assert.equal(result.error.code, "WORKSPACE_REFUSED");
  });
}
