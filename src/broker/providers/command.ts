import { HELPER_VARIABLES } from "../../config/keys/credentials/command.ts";
import { err, ok, type Result } from "../../core/result.ts";
import type { ProviderFactory } from "../provider.ts";
import { unobtainable } from "../provider.ts";
import { runHelper } from "../run_helper.ts";
import { writeSecret } from "../write_secret.ts";
import { pickVariables } from "./variables.ts";

/** A secret that a program prints. */
export const commandProvider: ProviderFactory<"command"> = (
  { command, output: form, env_passthrough: passed, max_output: maxOutput },
  { credential, variable, now, notify },
) => ({
  kind: "command",
  scope: () => "",
  async obtain(_need, signal) {
    const { label } = credential;
    const [program = "", ...args] = command;
    const env = pickVariables([...HELPER_VARIABLES, ...passed], variable);
    const output = await runHelper({ program, args, env, maxOutput, notify }, signal);
    if (!output.ok) return unobtainable(label, output.error, "run it by hand to see why");
    if (form === "raw") return writeSecret(credential, output.value);
    const printed = parsePrinted(output.value, now());
    if (!printed.ok) return unobtainable(label, `"${program}" printed ${printed.error}`);
    return writeSecret(credential, printed.value.value, printed.value.expiresAtMs);
  },
});

interface Printed {
  readonly value: string;
  readonly expiresAtMs: number | undefined;
}

/** An object with `value`, and with `expires_at` (RFC 3339) or `expires_in` (seconds) if it ends. */
function parsePrinted(text: string, nowMs: number): Result<Printed, string> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return err("no JSON"); // the error would quote what it printed
  }
  const { value, expires_at: at, expires_in: within } = (parsed ?? {}) as Record<string, unknown>;
  if (typeof value !== "string") return err('no "value" that is a string');
  if (at === undefined && within === undefined) return ok({ value, expiresAtMs: undefined });
  const expiresAtMs = typeof at === "string"
    ? Date.parse(at)
    : typeof within === "number"
    ? nowMs + within * 1000
    : NaN;
  if (Number.isFinite(expiresAtMs)) return ok({ value, expiresAtMs });
  return err('neither a time in "expires_at" nor seconds in "expires_in"');
}
