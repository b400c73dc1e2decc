import assert from "node:assert/strict";
import { rlimitScript } from "../../../src/sandbox/init/rlimits.ts";

const LIMITS = { processes: 300, dataBytes: 2 ** 28, cpuSeconds: 60, openFiles: 200 };
const SHELLS = ["/bin/sh", "/bin/dash", "/bin/bash", "/bin/busybox"];

/** The limits under which a program runs that a shell has started after `script`. */
function limitsAfter(shell: string, script: string): Record<string, string> {
  const words = shell.endsWith("busybox") ? ["sh", "-c"] : ["-c"];
  const { stdout } = new Deno.Command(shell, {
    args: [...words, `${script}exec cat /proc/self/limits`],
  }).outputSync();
  const rows = new TextDecoder().decode(stdout).matchAll(/^(Max .+?) {2,}(\S+) +(\S+)/gm);
  return Object.fromEntries([...rows].map(([, name, soft, hard]) => [name, `${soft} ${hard}`]));
}

Deno.test("rlimitScript() sets the same limits in every shell", () => {
  for (const shell of SHELLS) {
    if (!exists(shell)) continue;
    const limits = limitsAfter(shell, rlimitScript(LIMITS));
    assert.equal(limits["Max processes"], "300 300", shell);
    assert.equal(limits["Max data size"], "268435456 268435456", shell);
    assert.equal(limits["Max cpu time"], "60 65", shell);
    assert.equal(limits["Max open files"], "200 200", shell);
  }
});

Deno.test("rlimitScript() ends a shell that cannot set a limit", () => {
  for (const limit of ["processes", "dataBytes", "cpuSeconds", "openFiles"] as const) {
    const script = rlimitScript({ [limit]: LIMITS[limit] });
    assert.notDeepEqual(limitsAfter("/bin/sh", script), {}, limit);
    assert.deepEqual(limitsAfter("/bin/sh", `ulimit() { false; }; ${script}`), {}, limit);
  }
});

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
