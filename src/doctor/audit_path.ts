import { auditFile } from "../config/paths.ts";
import { trustedProject } from "./project.ts";
import type { World } from "./world.ts";

/**
 * The audit log in force, as far as there can be one. An untrusted configuration
 * is not believed about it: it could show an invented log.
 */
export function auditPathOf(world: World): string | undefined {
  const project = trustedProject(world.project());
  if (project !== undefined) return project.config.sidecar.audit.filePath;
  try {
    return auditFile(world.env);
  } catch {
    return undefined; // there is no home
  }
}
