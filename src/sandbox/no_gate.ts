import type { FirmaError } from "../core/result.ts";

/** The error of a run whose programs nobody can hold; `tracer` is what traces firma itself. */
export function noGate(reason: string, tracer: string | undefined): FirmaError {
  const error = {
    code: "EXEC_GATE_UNAVAILABLE",
    message: `Cannot hold programs until they are decided: ${reason}`,
  };
  if (tracer !== undefined) {
    const message = `${error.message}, for firma is traced by ${tracer}`;
    const cure = "run it without that: a process has one tracer, and the gate has to be that of " +
      "all that the agent starts";
    return { ...error, message, cure };
  }
  return {
    ...error,
    cure: "use Linux 5.8 or newer, in a container with seccomp and ptrace permitted; or write " +
      'gate = "auto" in [run.sidecar_local_exec], which decides what rules name; or gate = "off", ' +
      "and what the agent starts is not decided",
  };
}

/** What traces this process, such as `"strace"`, as far as that can be seen. */
export function ownTracer(
  read: (path: string) => string = Deno.readTextFileSync,
): string | undefined {
  try {
    const pid = /^TracerPid:\s*([1-9]\d*)$/m.exec(read("/proc/self/status"))?.[1];
    return pid === undefined ? undefined : nameOf(pid, read);
  } catch {
    return undefined; // no /proc
  }
}

function nameOf(pid: string, read: (path: string) => string): string {
  try {
    return JSON.stringify(read(`/proc/${pid}/comm`).trim());
  } catch {
    return `process ${pid}`;
  }
}
