import type { FirmaConfig, LimitsConfig } from "../config/schema.ts";

/** What an agent of a profile may use: what the profile says, and `[run.limits]` for the rest. */
export function limitsFor(profile: string, { run }: FirmaConfig): LimitsConfig {
  return { ...run.limits, ...run.profiles[profile]?.limits };
}
