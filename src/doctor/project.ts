import { discoverConfig } from "../config/discover.ts";
import { checkConfigFile, type ConfigFile, readConfigFile } from "../config/load.ts";
import { type OperatorFile, operatorFiles } from "../config/operator_files.ts";
import type { Environment } from "../config/paths.ts";
import type { FirmaConfig } from "../config/schema.ts";
import { type TrustState, trustState } from "../config/trust.ts";
import { setOperatorClasses } from "../core/action_class.ts";
import type { FirmaError } from "../core/result.ts";

/** A configuration that can be read. */
export interface LoadedProject {
  readonly kind: "loaded";
  /** Whether it was named, rather than found from the working directory upwards. */
  readonly isNamed: boolean;
  readonly file: ConfigFile;
  readonly config: FirmaConfig;
  readonly files: readonly OperatorFile[];
  readonly trust: TrustState["state"];
}

/** The configuration in force. */
export type Project =
  | LoadedProject
  | { readonly kind: "none" }
  | {
    readonly kind: "unusable";
    /** The file, as far as it is known. */
    readonly file: string | undefined;
    readonly errors: readonly FirmaError[];
  };

/** Reads the configuration in force, trusted or not. */
export function readProject(
  from: { readonly flag: string | undefined; readonly env: Environment; readonly cwd: string },
): Project {
  const found = discoverConfig(from);
  if (!found.ok) return { kind: "unusable", file: found.error.at?.file, errors: [found.error] };
  if (found.value === undefined) return { kind: "none" };
  const file = readConfigFile(found.value.file);
  if (!file.ok) return { kind: "unusable", file: found.value.file, errors: [file.error] };
  const config = checkConfigFile(file.value, from.env);
  if (!config.ok) return { kind: "unusable", file: file.value.file, errors: config.error };
  setOperatorClasses(config.value.actionClasses);
  return {
    kind: "loaded",
    isNamed: found.value.source !== "directory",
    file: file.value,
    config: config.value,
    files: operatorFiles(config.value),
    trust: trustState(file.value, from.env).state,
  };
}

/**
 * The project, if the user trusts it. One that nobody trusts names hosts, sockets and files of
 * somebody else's choice: nothing is asked of the network for it, and nothing mended.
 */
export function trustedProject(project: Project): LoadedProject | undefined {
  return project.kind === "loaded" && project.trust === "trusted" ? project : undefined;
}
