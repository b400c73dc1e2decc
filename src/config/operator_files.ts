import { join, relative } from "../core/path.ts";
import { digestOf } from "./load.ts";
import type { FirmaConfig } from "./schema.ts";

/** A policy or mapping file that a configuration brings into force. */
export interface OperatorFile {
  readonly kind: "policy" | "issuance policy" | "mapping";
  readonly path: string;
  /** The path as an operator would name it: relative to `firma.toml` where it lies beneath. */
  readonly name: string;
  readonly text: string;
  readonly digest: string;
}

/** More than any policy or mapping needs. */
const MAX_FILE_BYTES = 8 * 1024 * 1024;

function cedarFiles(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)]
      .filter((entry) => entry.name.endsWith(".cedar") && !entry.isDirectory)
      .map((entry) => join(directory, entry.name))
      .sort();
  } catch {
    return []; // the Authority says what is wrong with it
  }
}

function read(
  kind: OperatorFile["kind"],
  path: string,
  config: FirmaConfig,
): OperatorFile | undefined {
  try {
    // A pipe would block for ever, and an untrusted configuration can name any file.
    const { isFile, size } = Deno.statSync(path);
    if (!isFile || size > MAX_FILE_BYTES) return undefined;
    const text = Deno.readTextFileSync(path);
    const within = relative(config.directory, path);
    return {
      kind,
      path,
      name: within.startsWith("..") ? path : within,
      text,
      digest: digestOf(text),
    };
  } catch {
    return undefined; // whoever needs the file says what is wrong with it
  }
}

/** The policies and mappings that `config` names and that can be read. */
export function operatorFiles(config: FirmaConfig): OperatorFile[] {
  const found = [
    ...cedarFiles(config.authority.policyDir).map((path) => read("policy", path, config)),
    ...cedarFiles(config.authority.issuancePolicyDir)
      .map((path) => read("issuance policy", path, config)),
    ...config.sidecar.mapping.rulesPaths.map((path) => read("mapping", path, config)),
  ];
  return found.filter((file) => file !== undefined);
}
