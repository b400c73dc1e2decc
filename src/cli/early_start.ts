import type { EarlyStart } from "../run/early_start.ts";
import { earlySandbox } from "./early_sandbox.ts";
import { earlySidecar } from "./early_sidecar.ts";
import type { RunFlags } from "./run_flags.ts";

/** Begins what a run will probably need. */
export function beginEarly(flags: RunFlags): EarlyStart {
  const sidecar = earlySidecar(flags);
  const sandbox = earlySandbox(flags, sidecar?.sandboxId);
  return { ...sidecar, ...(sandbox && { sandbox, sandboxId: sandbox.sandboxId }) };
}
