import type { FirmaError } from "../core/result.ts";

/** The error for an exception out of Cedar, which only a fault of the engine itself raises. */
export function cedarFault(cause: unknown): FirmaError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return {
    code: "POLICY_ENGINE_FAULT",
    message: `Cannot run the policy engine: ${reason}`,
    cure: "restart firma",
    cause,
  };
}
