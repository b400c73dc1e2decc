import type { Project } from "../../config/setup/project.ts";
import { trustState } from "../../config/trust.ts";
import { err, ok, type Result } from "../../core/result.ts";

/** Refuses what a cloned repository brought: what firma changes in it, it would vouch for. */
export function checkTrust({ existing }: Project): Result<void> {
  if (existing === undefined) return ok(undefined);
  const { state } = trustState(existing.file, Deno.env.toObject());
  if (state === "trusted") return ok(undefined);
  return err({
    code: "CONFIG_NOT_TRUSTED",
    message: `Cannot change "${existing.file.file}": ${
      state === "changed"
        ? "it changed since you trusted it"
        : "firma did not write it, and you have not trusted it"
    }`,
    cure: "read it, then: firma trust; or remove it, and firma config writes a new one",
  });
}
