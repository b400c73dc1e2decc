/** `__preflight`: starts a program in the sandbox that says how it fares, and ends. */
import { join } from "../../core/path.ts";
import { newId } from "../../core/id.ts";
import { type FirmaError, FirmaException } from "../../core/result.ts";
import { confine } from "../confine.ts";
import { GATE_FIELD } from "./preflight.ts";
import { probeGate } from "./probe_gate.ts";

/**
 * Prints `/proc/self/status` of that program, and then why the kernel would not ask before programs
 * are executed; a failure is the last line of standard error.
 */
export async function main(): Promise<number> {
  const code = await startProgram();
  if (code === 0) console.log(`${GATE_FIELD}:\t${probeGate() ?? ""}`);
  return code;
}

async function startProgram(): Promise<number> {
  const base = await Deno.makeTempDir({ prefix: "firma-" });
  try {
    // As in a state directory: what a sandbox notes beside its run must not lie with others' files.
    const [runDir, cwd] = [join(base, "run/r"), join(base, "work")];
    const proxyDir = join(runDir, "p");
    for (const directory of [proxyDir, cwd]) {
      await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
    }
    const confined = await confine({
      command: ["cat", "/proc/self/status"],
      cwd,
      profile: "generic",
      sandboxId: newId("sbx"),
      hostEnv: Deno.env.toObject(),
      proxyDir,
      // Nobody listens there: nothing gets out.
      session: Promise.resolve({
        sessionId: newId("ses"),
        proxySocket: join(proxyDir, "proxy.sock"),
        caCertificatePem: "",
      }),
      runDir,
      sealedDirs: [],
    });
    if (!confined.ok) return fail(confined.error);
    const code = await confined.value.exitCode;
    if (code === 0) return 0;
    const message = `Cannot use the sandbox: a program in it ended with exit code ${code}`;
    return fail({ code: "SANDBOX_FAILED", message });
  } catch (cause) {
    if (cause instanceof FirmaException) return fail(cause.error);
    const message = `Cannot build the sandbox: ${cause instanceof Error ? cause.message : cause}`;
    return fail({ code: "SANDBOX_FAILED", message });
  } finally {
    await Deno.remove(base, { recursive: true });
  }
}

function fail({ code, message, cure }: FirmaError): number {
  console.error(JSON.stringify({ code, message, cure }));
  return 1;
}
