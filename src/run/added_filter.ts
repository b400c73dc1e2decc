import type { OperatorFile } from "../config/operator_files.ts";
import type { FirmaConfig } from "../config/schema.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import type { Artifact } from "../sandbox/seccomp/artifact.ts";
import type { AddedRefusals } from "../sandbox/seccomp/added.ts";

/** What `[run.seccomp]` says, with the text of its file as it was read; `undefined`: nothing. */
export function addedRefusals(
  { run: { seccomp } }: FirmaConfig,
  files: readonly OperatorFile[],
): Result<AddedRefusals | undefined> {
  const { deny, policyPath } = seccomp;
  if (policyPath === undefined) return ok(deny.length === 0 ? undefined : { deny });
  const file = files.find(({ kind, path }) => kind === "system call policy" && path === policyPath);
  if (file !== undefined) return ok({ deny, policy: { file: file.path, text: file.text } });
  return err({
    code: "SECCOMP_POLICY_UNREADABLE",
    message: `Cannot read the system call policy "${policyPath}": it is no file that can be read`,
    cure: "put the file back, or take it out of [run.seccomp] policy",
  });
}

/** The filter of `[run.seccomp]`; most configurations have none, and load nothing for it. */
export async function addedFilterOf(
  config: FirmaConfig,
  files: readonly OperatorFile[],
): Promise<Result<Artifact | undefined, readonly FirmaError[]>> {
  const refusals = addedRefusals(config, files);
  if (!refusals.ok) return err([refusals.error]);
  if (refusals.value === undefined) return ok(undefined);
  const { addedFilter } = await import("../sandbox/seccomp/added.ts");
  return await addedFilter(refusals.value, Deno.build.arch);
}
