import { discoverConfig } from "../config/discover.ts";
import { wasTrusted } from "../config/trust.ts";
import { type Id, newId } from "../core/id.ts";
import { type EarlySandbox, startEarlySandbox } from "../run/early_sandbox.ts";
import { environment } from "./environment.ts";
import type { RunFlags } from "./run_flags.ts";

/**
 * Starts the sandbox of a run that looks as if it would come to one: outside of any other, with a
 * configuration that was used before.
 */
export function earlySandbox(
  flags: RunFlags,
  sandboxId: Id<"sbx"> = newId("sbx"),
): EarlySandbox | undefined {
  if (Deno.build.os !== "linux" || flags.printEffectiveConfig) return undefined;
  const env = environment(flags);
  if (env.FIRMA_RUN_SANDBOX_ID) return undefined;
  const found = discoverConfig({ flag: flags.config, env, cwd: Deno.cwd() });
  if (!found.ok || found.value === undefined) return undefined;
  return wasTrusted(Deno.realPathSync(found.value.file), env)
    ? startEarlySandbox(sandboxId, env)
    : undefined;
}
