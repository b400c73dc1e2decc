import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { sha256 } from "../core/sha256.ts";
import { auditFile, authorityKeyFile, type Environment, projectDataDir } from "./paths.ts";
import { type FirmaConfig, parseConfig } from "./schema.ts";

/** More than any configuration needs, and little enough to read at once. */
const MAX_FILE_BYTES = 1024 * 1024;

/** A `firma.toml` as it was read, once: what was checked is what is used. */
export interface ConfigFile {
  /** Absolute, without symbolic links. */
  readonly file: string;
  readonly text: string;
  /** SHA-256 of the bytes of the file, hex. */
  readonly digest: string;
}

function unreadable(file: string, state: string, cause?: unknown): Result<never> {
  return err({
    code: "CONFIG_UNREADABLE",
    message: `Cannot read "${file}": ${state}`,
    at: { file },
    cause,
  });
}

/** Reads a file that must be regular, UTF-8 and at most 1 MiB: never a pipe that would block. */
export function readConfigFile(path: string): Result<ConfigFile> {
  try {
    const file = Deno.realPathSync(path);
    const found = Deno.statSync(file);
    if (!found.isFile) return unreadable(path, "it is not a regular file");
    if (found.size > MAX_FILE_BYTES) return unreadable(path, "it is larger than 1 MiB");
    const bytes = Deno.readFileSync(file);
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return ok({ file, text, digest: digestOf(bytes) });
  } catch (cause) {
    if (cause instanceof TypeError) return unreadable(path, "it is not UTF-8 text", cause);
    if (cause instanceof Deno.errors.NotFound) return unreadable(path, "there is no such file");
    return unreadable(path, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** SHA-256, hex. */
export function digestOf(bytes: Uint8Array | string): string {
  return sha256(bytes);
}

/** Checks a file that was read; see {@linkcode parseConfig}. */
export function checkConfigFile(
  { file, text }: ConfigFile,
  env: Environment,
): Result<FirmaConfig, readonly FirmaError[]> {
  return parseConfig(text, file, {
    projectDataDir: projectDataDir(env, file),
    auditFile: auditFile(env),
    authorityKey: authorityKeyFile(env),
  }, env);
}

/** A configuration with the file that it was read from. */
export interface LoadedConfig {
  readonly file: ConfigFile;
  readonly config: FirmaConfig;
}

/**
 * Reads and checks the `firma.toml` at `path`. With `expectedDigest`, a file
 * that changed since it was trusted is refused with code `CONFIG_CHANGED`.
 */
export function loadConfig(
  path: string,
  env: Environment,
  expectedDigest?: string,
): Result<LoadedConfig, readonly FirmaError[]> {
  const read = readConfigFile(path);
  if (!read.ok) return err([read.error]);
  if (expectedDigest !== undefined && read.value.digest !== expectedDigest) {
    return err([{
      code: "CONFIG_CHANGED",
      message: `Cannot use "${path}": it changed after it was checked`,
      cure: "start again",
      at: { file: path },
    }]);
  }
  const config = checkConfigFile(read.value, env);
  return config.ok ? ok({ file: read.value, config: config.value }) : config;
}
