import type { OperatorFile } from "../config/operator_files.ts";
import type { FirmaConfig } from "../config/schema.ts";

const WORLD_WRITABLE = 0o002;

function flaw(path: string): string | undefined {
  try {
    const { mode, uid } = Deno.statSync(path);
    if ((mode ?? 0) & WORLD_WRITABLE) return `everybody on this machine can write "${path}"`;
    if (uid !== null && uid !== 0 && uid !== Deno.uid()) {
      return `"${path}" belongs to user ${uid}`;
    }
  } catch {
    return undefined; // whoever reads the file says what is wrong with it
  }
}

/** Names files in force that somebody else on this machine can change. */
export function ownershipFlaws(config: FirmaConfig, files: readonly OperatorFile[]): string[] {
  const { policyDir, issuancePolicyDir } = config.authority;
  const paths = [
    config.directory,
    config.file,
    policyDir,
    issuancePolicyDir,
    ...files.map((file) => file.path),
  ];
  return [...new Set(paths)].map(flaw).filter((found) => found !== undefined);
}
