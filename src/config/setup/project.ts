/** What is there before `firma config` changes it. */
import { entryOf } from "../entry.ts";
import { join, relative } from "../../core/path.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import { CONFIG_FILE } from "../discover.ts";
import { checkConfigFile, type ConfigFile, readConfigFile } from "../load.ts";
import { packNames } from "../packs.ts";
import type { Environment } from "../paths.ts";
import { isTable } from "../reader.ts";
import type { FirmaConfig } from "../schema.ts";
import { parseToml } from "../toml.ts";
import type { Answers } from "./answers.ts";

/** The configuration that is there. */
export interface ExistingConfig {
  readonly file: ConfigFile;
  readonly config: FirmaConfig;
  /** The file as TOML says it. */
  readonly root: Readonly<Record<string, unknown>>;
}

/** A directory that holds a configuration, or is to. */
export interface Project {
  /** Absolute. */
  readonly directory: string;
  readonly existing: ExistingConfig | undefined;
  /** Directories of policies, relative to `directory`; absent where they lie elsewhere. */
  readonly policyDir: string | undefined;
  readonly issuancePolicyDir: string | undefined;
  /** Policies and mappings in the directory, by path relative to it. */
  readonly files: ReadonlyMap<string, string>;
}

/** Hosts that no pack covers, in the directory of the configuration. */
export const EXTRA_RULES = "mapping-rules.toml";

/** More than any policy or mapping needs. */
const MAX_FILE_BYTES = 8 * 1024 * 1024;

function readText(path: string): string | undefined {
  try {
    const { isFile, size } = Deno.statSync(path);
    return isFile && size <= MAX_FILE_BYTES ? Deno.readTextFileSync(path) : undefined;
  } catch {
    return undefined; // not there, or for whoever needs it to say what is wrong with it
  }
}

function textsIn(directory: string, folder: string, extension: string): [string, string][] {
  try {
    return [...Deno.readDirSync(join(directory, folder))]
      .filter(({ name }) => name.endsWith(extension))
      .flatMap(({ name }): [string, string][] => {
        const text = readText(join(directory, folder, name));
        return text === undefined ? [] : [[join(folder, name), text]];
      });
  } catch {
    return [];
  }
}

function within(directory: string, path: string): string | undefined {
  const inner = relative(directory, path);
  return inner === "" || inner.startsWith("..") || inner.startsWith("/") ? undefined : inner;
}

function refuse(path: string, state: string, cure: string): Result<never, FirmaError[]> {
  return err([{
    code: "CONFIG_DIRECTORY_UNUSABLE",
    message: `Cannot write to "${path}": ${state}`,
    cure,
  }]);
}

/**
 * Reads what is in `directory`, which may not be there. Refuses a symbolic link,
 * which could lead anywhere.
 */
export function readProject(
  directory: string,
  env: Environment,
): Result<Project, readonly FirmaError[]> {
  try {
    const found = Deno.lstatSync(directory);
    if (found.isSymlink) {
      return refuse(directory, "it is a symbolic link", "make it a directory");
    }
    if (!found.isDirectory) return refuse(directory, "it is not a directory", "move it away");
    const config = entryOf(join(directory, CONFIG_FILE));
    if (config?.isSymlink) {
      return refuse(join(directory, CONFIG_FILE), "it is a symbolic link", "make it a file");
    }
    if (config === undefined) return newProject(directory);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return newProject(directory);
    const state = cause instanceof Error ? cause.message : String(cause);
    return refuse(directory, state, "make it readable for you");
  }
  const file = readConfigFile(join(directory, CONFIG_FILE));
  if (!file.ok) return err([file.error]);
  const config = checkConfigFile(file.value, env);
  if (!config.ok) return config;
  const document = parseToml(file.value.text, file.value.file);
  if (!document.ok) return err([document.error]);
  const { policyDir, issuancePolicyDir } = config.value.authority;
  const policies = within(config.value.directory, policyDir);
  const issuance = within(config.value.directory, issuancePolicyDir);
  return ok({
    directory,
    existing: { file: file.value, config: config.value, root: document.value.root },
    policyDir: policies,
    issuancePolicyDir: issuance,
    files: new Map([
      ...(policies === undefined ? [] : textsIn(directory, policies, ".cedar")),
      ...(issuance === undefined ? [] : textsIn(directory, issuance, ".cedar")),
      ...textsIn(directory, "mappings", ".toml"),
      ...textsIn(directory, "", ".toml").filter(([path]) => path === EXTRA_RULES),
    ]),
  });
}

function newProject(directory: string): Result<Project, FirmaError[]> {
  try {
    // A policy that somebody else put there would come into force as if firma had written it.
    for (const { name } of Deno.readDirSync(directory)) {
      return refuse(
        directory,
        `there is something in it, such as "${name}", and no ${CONFIG_FILE}`,
        "look at what it holds and remove it, or give it a firma.toml and run firma trust",
      );
    }
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
  }
  return ok({
    directory,
    existing: undefined,
    policyDir: "policies",
    issuancePolicyDir: "issuance-policies",
    files: new Map(),
  });
}

/** Where the mappings of a Sidecar are named. */
export const SIDECAR_RULES = ["sidecar", "mapping", "rules_paths"] as const;

/** Where a file names its mappings; that of an Authority alone does so elsewhere. */
export function rulesKey(
  root: Readonly<Record<string, unknown>>,
): readonly ["authority", "mapping_rules_paths"] | typeof SIDECAR_RULES {
  return Object.hasOwn(root, "sidecar") ? SIDECAR_RULES : ["authority", "mapping_rules_paths"];
}

/** What stands at `path`, as it is written. */
export function written(root: Readonly<Record<string, unknown>>, path: readonly string[]): unknown {
  let value: unknown = root;
  for (const name of path) {
    value = isTable(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  }
  return value;
}

/** Paths of mappings as they are written at `place`. */
export function writtenRules(
  root: Readonly<Record<string, unknown>>,
  place: readonly string[],
): readonly string[] {
  const paths = written(root, place);
  return Array.isArray(paths) ? paths.filter((path) => typeof path === "string") : [];
}

/** The name of the pack that a path of a mapping stands for. */
export function packOf(path: string): string | undefined {
  const name = /^(?:\.\/)?mappings\/([\w-]+)\.toml$/.exec(path)?.[1];
  return name !== undefined && packNames("mapping").includes(name) ? name : undefined;
}

/** Postures whose policies are there, by the names of their files. */
function posturesIn({ policyDir, files }: Project): string[] {
  if (policyDir === undefined) return [];
  return packNames("posture").filter((name) => files.has(join(policyDir, `${name}.cedar`)));
}

/** What a configuration that is there says of each answer. */
export function existingAnswers(project: Project): Partial<Answers> {
  if (project.existing === undefined) return {};
  const { config, root } = project.existing;
  const text = (...path: string[]) => {
    const value = written(root, path);
    return typeof value === "string" ? value : undefined;
  };
  return {
    mode: config.sidecar.authority.remote !== undefined
      ? "agent-remote"
      : Object.hasOwn(root, "sidecar")
      ? "agent-local"
      : "authority",
    profile: config.run.profile,
    agentId: text("sidecar", "authority", "agent_id"),
    posture: posturesIn(project)[0],
    mappings: writtenRules(root, rulesKey(root)).map(packOf).filter((name) => name !== undefined),
    authorityListen: text("authority", "listen_addr"),
    authorityUrl: text("sidecar", "authority", "url"),
    authorityCaCert: text("sidecar", "authority", "ca_cert_path"),
    authorityPubKey: text("sidecar", "authority", "public_key_path"),
    authorityClientCert: text("sidecar", "authority", "tls_client_cert_path"),
    authorityClientKey: text("sidecar", "authority", "tls_client_key_path"),
  };
}
