import type { Execution } from "../../core/local_exec.ts";
import type { Classified } from "../exec/envelope.ts";
import type { Denial } from "../pipeline/draft.ts";

/** Programs that there are presets for, by the names that they go by. */
const PROGRAMS = ["op", "bws", "bw", "vault", "bao", "pass", "gopass", "aws", "gcloud", "az"]
  .concat(["doppler", "secret-tool"]);

/** The denial, and what would let agents use a store's program that would show them a secret. */
export function withStoreCure(
  denial: Denial,
  { names }: Execution,
  { operations }: Classified,
): Denial {
  const shows = operations.some(({ action_class, attributes }) =>
    action_class === "secret.read" && attributes.exec_secret_store === undefined
  );
  if (denial.reason !== "PolicyDenied" || !shows) return denial;
  if (!names.some((name) => PROGRAMS.includes(name))) return denial;
  const cure = "[[sidecar.cli_secret_providers]] has it read outside of the sandbox";
  return { ...denial, detail: `${denial.detail}; ${cure}` };
}
