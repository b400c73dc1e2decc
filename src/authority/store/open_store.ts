import { dirname } from "../../core/path.ts";
import type { AuthorityConfig } from "../../config/authority_config.ts";
import { ensurePrivateDirectory } from "../../config/paths.ts";
import type { FirmaError, Result } from "../../core/result.ts";
import { FileStore } from "./file_store.ts";
import type { AuthorityStore } from "./store.ts";

/** Opens the store that a configuration asks for. */
export async function openStore(
  { storeDir, revocationFile, maxTtlMs }: AuthorityConfig,
  onNotice: (notice: FirmaError) => void,
): Promise<Result<AuthorityStore>> {
  // Both lie in the directory of the project unless the operator put the file elsewhere.
  const project = ensurePrivateDirectory(dirname(storeDir));
  if (!project.ok) return project;
  await Deno.mkdir(dirname(revocationFile), { recursive: true, mode: 0o700 });
  return await FileStore.open({ directory: storeDir, revocationFile, maxTtlMs, onNotice });
}
