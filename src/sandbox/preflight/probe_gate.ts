import { GateUnavailable, listenForExec } from "../init/gate/listener.ts";
import { whyNoReading, whyNoTracing } from "../init/gate/tracing.ts";

/**
 * Why the kernel does not ask before programs are executed, by having it ask; `undefined` where it
 * does. This process starts no program afterwards: nobody would answer.
 */
export function probeGate(): string | undefined {
  const missing = whyNoTracing() ?? whyNoReading();
  if (missing !== undefined) return missing;
  try {
    listenForExec();
    return undefined;
  } catch (cause) {
    if (cause instanceof GateUnavailable) return cause.message;
    throw cause;
  }
}
