/** From the command line to a configuration that may be used. */
import { join } from "node:path";
import { describeConfig } from "../config/describe.ts";
import { CONFIG_DIRECTORY, discoverConfig } from "../config/discover.ts";
import { checkConfigFile, type ConfigFile, readConfigFile } from "../config/load.ts";
import { type OperatorFile, operatorFiles } from "../config/operator_files.ts";
import type { FirmaConfig } from "../config/schema.ts";
import { changesSince, recordTrust, rememberFiles, trustState } from "../config/trust.ts";
import { escapeForTerminal } from "../core/escape.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import type { RunInterface, RunOptions } from "./options.ts";
import { ownershipFlaws } from "./ownership.ts";

/** A configuration that may be used. */
export interface PreparedConfig {
  readonly config: FirmaConfig;
  /** SHA-256 of the file, hex. */
  readonly digest: string;
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

function notTrusted({ file, config, files }: Loaded, changed: boolean): FirmaError {
  const state = changed
    ? "it changed since you trusted it"
    : "it was not written by firma for you, and you have not trusted it";
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

/** Applies the rule of trust to a configuration that was found. */
function admit(loaded: Loaded, options: RunOptions, ui: RunInterface): Result<Loaded, Faults> {
  const trust = trustState(loaded.file, options.env);
  if (trust.state !== "trusted") {
    if (!options.trust) return err([notTrusted(loaded, trust.state === "changed")]);
    const recorded = recordTrust(loaded.file, loaded.files, "flag", options.env);
    if (!recorded.ok) return err([recorded.error]);
    ui.tell("warn", `trusting ${loaded.file.file} because of --trust`);
    return ok(loaded);
  }
  const changes = changesSince(trust.record, loaded.files);
  if (changes.length > 0) {
    ui.tell("warn", `since the last run: ${changes.join(", ")}`);
    const remembered = rememberFiles(trust.record, loaded.files, options.env);
    if (!remembered.ok) return err([remembered.error]);
  }
  return ok(loaded);
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
  for (const flaw of ownershipFlaws(loaded.value.config, loaded.value.files)) {
    ui.tell("warn", flaw);
  }
  return ok({ config: loaded.value.config, digest: loaded.value.file.digest });
}
