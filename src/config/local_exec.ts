import type { FirmaConfig } from "./schema.ts";

/**
 * Whether an operator wants something of every program, whatever rules name: shims in the places of
 * some programs cannot hold that.
 */
export function isAboutEveryProgram(
  { defaultAction, allowedExecutables }: FirmaConfig["sidecar"]["localExec"],
): boolean {
  return defaultAction === "deny" || allowedExecutables !== undefined;
}
