/** From the command line to a configuration that may be used. */
import { join } from "node:path";
import { describeConfig } from "../config/describe.ts";
import { CONFIG_DIRECTORY, discoverConfig } from "../config/discover.ts";
import { checkConfigFile, type ConfigFile, readConfigFile } from "../config/load.ts";
import { type OperatorFile, operatorFiles } from "../config/operator_files.ts";
import type { FirmaConfig } from "../config/schema.ts";
import {
  changesSince,
  directoryReplaced,
  recordTrust,
  rememberFiles,
  type TrustState,
  trustState,
} from "../config/trust.ts";
import { dataDir, stateDir } from "../config/paths.ts";
import { escapeForTerminal } from "../core/escape.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { realPath } from "../sandbox/paths.ts";
import { checkWorkspace } from "../sandbox/workspace.ts";
import type { RunInterface, RunOptions } from "./options.ts";
import { ownershipFlaws } from "./ownership.ts";

/** A configuration that may be used. */
export interface PreparedConfig {
  readonly config: FirmaConfig;
  /** SHA-256 of the file, hex. */
  readonly digest: string;
  /** The policies and mappings that it brings into force. */
  readonly files: readonly OperatorFile[];
}

type Faults = readonly FirmaError[];

/** Reads, checks and collects everything that a `firma.toml` brings into force. */
function load(path: string, options: RunOptions): Result<Loaded, Faults> {
  const file = readConfigFile(path);
  if (!file.ok) return err([file.error]);
  const config = checkConfigFile(file.value, options.env);
  if (!config.ok) return config;
  return ok({ file: file.value, config: config.value, files: operatorFiles(config.value) });
}

interface Loaded {
  readonly file: ConfigFile;
  readonly config: FirmaConfig;
  readonly files: readonly OperatorFile[];
}

/** Sets a project up, after asking where there is somebody to ask. */
async function firstLaunch(options: RunOptions, ui: RunInterface): Promise<Result<Loaded, Faults>> {
  const { DEFAULT_POSTURE, defaultMappings, scaffoldFiles, writeScaffold } = await import(
    "../config/scaffold.ts"
  );
  const usable = checkWorkspace({
    cwd: options.cwd,
    homes: options.env.HOME ? [options.env.HOME, realPath(options.env.HOME)] : [],
    hidden: [stateDir(options.env), dataDir(options.env)].map(realPath),
  });
  if (!usable.ok) return err([usable.error]); // before anything is written there
  const posture = options.posture ?? DEFAULT_POSTURE;
  const mappings = options.mappings.length > 0
    ? options.mappings
    : defaultMappings(options.command);
  const files = scaffoldFiles({ posture, mappings, profile: options.profile });
  if (!files.ok) return err([files.error]);

  const target = join(options.cwd, CONFIG_DIRECTORY);
  const content = `posture ${posture}; mappings ${mappings.join(", ") || "none"}`;
  if (ui.interactive && !options.yes) {
    const agreed = await ui.confirm([
      `First launch in ${options.cwd}`,
      `${target} will be written (${content}); its policies are yours to edit.`,
      `"${options.command[0]}" then runs in a sandbox: it writes in this directory alone,`,
      "and each call it makes to the network is decided by those policies and recorded.",
    ], "Go on?");
    if (!agreed) {
      return err([{
        code: "DECLINED",
        message: "Nothing was started and nothing was written",
      }]);
    }
  }
  const written = writeScaffold(options.cwd, files.value);
  if (!written.ok) return err([written.error]);
  const loaded = load(written.value, options);
  if (!loaded.ok) return loaded;
  const trusted = recordTrust(loaded.value.file, loaded.value.files, "scaffold", options.env);
  if (!trusted.ok) return err([trusted.error]);
  if (!ui.interactive || options.yes) ui.tell("info", `wrote ${target} (${content})`);
  return loaded;
}

function notTrusted({ file, config, files }: Loaded, state: string): FirmaError {
  return {
    code: "CONFIG_NOT_TRUSTED",
    message: [
      `Cannot use "${escapeForTerminal(file.file)}": ${state}. It holds:`,
      ...[...describeConfig(config, files), ...ownershipFlaws(config, files)]
        .map((line) => `  ${escapeForTerminal(line)}`),
    ].join("\n"),
    cure: `read it, then: firma trust ${shellWord(file.file)} (or --trust where nobody can look)`,
  };
}

/** A word that a shell reads as `text`. */
function shellWord(text: string): string {
  return /^[\w./@:+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Why a configuration may not be used as it is, or `undefined`. */
function distrust(trust: TrustState, changes: readonly string[]): string | undefined {
  if (trust.state === "unknown") {
    return "it was not written by firma for you, and you have not trusted it";
  }
  if (trust.state === "changed") return "it changed since you trusted it";
  if (changes.length > 0 && directoryReplaced(trust.record)) {
    return "its directory was replaced since the last run, and policies with it";
  }
}

/** Applies the rule of trust to a configuration that was found. */
function admit(loaded: Loaded, options: RunOptions, ui: RunInterface): Result<Loaded, Faults> {
  const trust = trustState(loaded.file, options.env);
  const changes = trust.state === "unknown" ? [] : changesSince(trust.record, loaded.files);
  const reason = distrust(trust, changes);
  if (reason !== undefined && !options.trust) return err([notTrusted(loaded, reason)]);
  let recorded: Result<void> = ok(undefined);
  if (reason !== undefined || trust.state !== "trusted") {
    ui.tell("warn", `trusting ${loaded.file.file} because of --trust`);
    recorded = recordTrust(loaded.file, loaded.files, "flag", options.env);
  } else if (changes.length > 0) {
    ui.tell("warn", `since the last run: ${changes.join(", ")}`);
    recorded = rememberFiles(trust.record, loaded.files, options.env);
  } else if (directoryReplaced(trust.record)) {
    recorded = rememberFiles(trust.record, loaded.files, options.env);
  }
  return recorded.ok ? ok(loaded) : err([recorded.error]);
}

/**
 * Finds the configuration in force, or writes the first one, and decides
 * whether it may be used.
 */
export async function prepareConfig(
  options: RunOptions,
  ui: RunInterface,
): Promise<Result<PreparedConfig, Faults>> {
  const discovered = discoverConfig({
    flag: options.configFlag,
    env: options.env,
    cwd: options.cwd,
  });
  if (!discovered.ok) return err([discovered.error]);
  let loaded: Result<Loaded, Faults>;
  if (discovered.value === undefined) loaded = await firstLaunch(options, ui);
  else {
    const unused = [options.posture && "--posture", options.mappings.length && "--mapping"]
      .filter(Boolean);
    if (unused.length > 0) {
      ui.tell("warn", `${unused.join(" and ")} ignored: ${discovered.value.file} exists already`);
    }
    loaded = load(discovered.value.file, options);
    if (loaded.ok) loaded = admit(loaded.value, options, ui);
  }
  if (!loaded.ok) return loaded;
  const { config, file, files } = loaded.value;
  for (const flaw of ownershipFlaws(config, files)) ui.tell("warn", flaw);
  return ok({ config, digest: file.digest, files });
}
