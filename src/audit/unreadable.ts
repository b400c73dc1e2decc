import { err, type FirmaError } from "../core/result.ts";

/** Why an audit log cannot be read. */
export function unreadable(
  path: string,
  cause: unknown,
): { readonly ok: false; readonly error: FirmaError } {
  const reason = cause instanceof Deno.errors.NotFound
    ? "there is no such file"
    : cause instanceof Error
    ? cause.message
    : cause;
  return err({
    code: "AUDIT_LOG_UNREADABLE",
    message: `Cannot read the audit log "${path}": ${reason}`,
    cause,
  });
}
