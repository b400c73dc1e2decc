/** The keys of `firma.toml` that a Sidecar changes while it decides calls. */
import type { FirmaConfig } from "../config/schema.ts";
import type { FirmaError } from "../core/result.ts";

/** A configuration in which the keys that apply at once are those of another. */
export function withLive(config: FirmaConfig, { sidecar: wanted }: FirmaConfig): FirmaConfig {
  const { sidecar } = config;
  const { interceptor, mapping, connector } = sidecar;
  return {
    ...config,
    sidecar: {
      ...sidecar,
      mapping: { ...mapping, ...wanted.mapping },
      interceptor: { ...interceptor, httpsMitm: wanted.interceptor.httpsMitm },
      connector: { ...connector, ...wanted.connector },
    },
  };
}

/**
 * Files that a change brings into force and that lie outside of the directory which
 * every sandbox hides: an agent that runs might write them, and nobody has checked
 * whether it can.
 */
export function newFilesOutside(before: FirmaConfig, after: FirmaConfig): FirmaError[] {
  const known = new Set(filesOf(before));
  return filesOf(after)
    .filter((path) => !known.has(path) && !realPath(path).startsWith(`${after.directory}/`))
    .map((path) => ({
      code: "CONFIG_FILE_OUTSIDE",
      message: `Cannot use "${path}" in sessions that run: it lies outside of "${after.directory}"`,
      cure: "move it there, or end the Sidecar and start it again",
    }));
}

function filesOf({ sidecar: { mapping, connector } }: FirmaConfig): string[] {
  return [
    ...mapping.rulesPaths,
    ...connector.hosts.map(({ caCertPath }) => caCertPath).filter((path) => path !== undefined),
  ];
}

function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    return path; // whoever reads it says that it is not there
  }
}
