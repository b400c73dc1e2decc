import { selfCommand } from "../../config/self_command.ts";
import type { FirmaError } from "../../core/result.ts";

/** In front of what `__preflight` says of the execution gate; no name of the kernel's. */
export const GATE_FIELD = "FirmaNoGate";

/** Whether the sandbox starts on this machine. */
export type Preflight =
  | {
    readonly ok: true;
    /** `/proc/self/status` of a program inside. */
    readonly status: string;
    /** Why the kernel does not ask before programs are executed; absent where it does. */
    readonly noGate?: string;
  }
  | {
    readonly ok: false;
    readonly error: FirmaError;
    /** What bubblewrap said. */
    readonly said: readonly string[];
  };

/**
 * Starts a program in both layers of the sandbox, as `firma run` does but with no way out, and
 * waits for its end. It does so in a process of its own, which `signal` ends: what a sandbox
 * changes about signals and the terminal stays there.
 */
export async function preflight(signal: AbortSignal): Promise<Preflight> {
  const [program, ...words] = selfCommand();
  const child = new Deno.Command(program, {
    args: [...words, "__preflight"],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal,
  });
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  const said = decoder.decode(stderr).trim().split("\n").filter((line) => line !== "");
  if (code === 0) {
    const status = decoder.decode(stdout);
    const noGate = new RegExp(`^${GATE_FIELD}:\t(.+)$`, "m").exec(status)?.[1];
    return { ok: true, status, ...(noGate !== undefined && { noGate }) };
  }
  const error = parseError(said.at(-1));
  if (error) return { ok: false, error, said: said.slice(0, -1) };
  return {
    ok: false,
    error: { code: "SANDBOX_FAILED", message: "Cannot build the sandbox: its program failed" },
    said,
  };
}

function parseError(line: string | undefined): FirmaError | undefined {
  try {
    const { code, message, cure } = JSON.parse(line ?? "");
    if (typeof code !== "string" || typeof message !== "string") return undefined;
    return { code, message, ...(typeof cure === "string" && { cure }) };
  } catch {
    return undefined;
  }
}
