import { join, relative } from "../core/path.ts";
import { digestOf } from "./load.ts";
import type { FirmaConfig } from "./schema.ts";

/** A file that a configuration brings into force: a policy, a mapping, whom to believe. */
export interface OperatorFile {
  readonly kind:
    | "policy"
    | "issuance policy"
    | "mapping"
    | "command rules"
    | "system call policy"
    | "Authority key"
    | "CA certificate";
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

/** What `config` brings into force besides itself and that can be read. */
export function operatorFiles(config: FirmaConfig): OperatorFile[] {
  const found = [
    ...authorityFiles(config),
    ...config.sidecar.mapping.rulesPaths.map((path) => read("mapping", path, config)),
    ...config.sidecar.localExec.rulesPaths.map((path) => read("command rules", path, config)),
    ...[config.run.seccomp.policyPath ?? []].flat()
      .map((path) => read("system call policy", path, config)),
  ];
  return found.filter((file) => file !== undefined);
}

/** The policies; of an Authority elsewhere, which has them, what says that it is the one. */
function authorityFiles(config: FirmaConfig): (OperatorFile | undefined)[] {
  const { remote } = config.sidecar.authority;
  if (remote !== undefined) {
    const { publicKeyPath, caCertPath } = remote;
    return [
      read("Authority key", publicKeyPath, config),
      caCertPath === undefined ? undefined : read("CA certificate", caCertPath, config),
    ];
  }
  const { policyDir, issuancePolicyDir } = config.authority;
  return [
    ...cedarFiles(policyDir).map((path) => read("policy", path, config)),
    ...cedarFiles(issuancePolicyDir).map((path) => read("issuance policy", path, config)),
  ];
}
