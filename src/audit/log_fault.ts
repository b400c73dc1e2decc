import { type FirmaError, FirmaException } from "../core/result.ts";

/** Why the audit log cannot be written just now. */
export function logFault(path: string, state: string, cause?: unknown): FirmaException {
  return new FirmaException({
    code: "AUDIT_LOG_FAILED",
    message: `Cannot write the audit log "${path}": ${state}`,
    cure: cure(path, cause),
    cause,
  });
}

/** Whatever was thrown, as an error for the operator. */
export function asLogError(path: string, thrown: unknown): FirmaError {
  if (thrown instanceof FirmaException) return thrown.error;
  const state = thrown instanceof Error ? thrown.message : String(thrown);
  return logFault(path, state, thrown).error;
}

function cure(path: string, cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  switch (code) {
    case "ENOSPC":
    case "EDQUOT":
      return `free some space on the file system of "${path}"; calls are denied until then`;
    case "EROFS":
    case "EACCES":
    case "EPERM":
      return `make "${path}" and its directory writable; calls are denied until then`;
    default:
      return "calls are denied until the log can be written again";
  }
}
