/** From the command line to a configuration that may be used. */
import { describeConfig } from "../config/describe.ts";
import { discoverConfig, type DiscoveredConfig } from "../config/discover.ts";
import type { OperatorFile } from "../config/operator_files.ts";
import type { FirmaConfig } from "../config/schema.ts";
import {
  changesSince,
  directoryReplaced,
  lockTrust,
  recordTrust,
  rememberFiles,
  type TrustState,
  trustState,
} from "../config/trust.ts";
import { escapeForTerminal } from "../core/escape.ts";
import { shellWord } from "../core/shell.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { firstLaunch } from "./first_launch.ts";
import { type Loaded, loadProject } from "./load_project.ts";
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

type Admission = Pick<RunOptions, "env" | "trust">;
type Teller = Pick<RunInterface, "tell">;

/** What is known of a configuration, once nobody is setting it up at this moment. */
function settledTrust(loaded: Loaded, options: Admission): TrustState {
  const trust = trustState(loaded.file, options.env);
  if (trust.state !== "unknown") return trust;
  using _lock = lockTrust(loaded.file.file, options.env);
  return trustState(loaded.file, options.env);
}

/** Applies the rule of trust to a configuration that was found. */
function admit(loaded: Loaded, options: Admission, ui: Teller): Result<Loaded, Faults> {
  const trust = settledTrust(loaded, options);
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

/** Says which flags come too late for a project that is there already. */
function tellUnused(file: string, options: RunOptions, ui: RunInterface): void {
  const unused = [options.posture && "--posture", options.mappings.length && "--mapping"]
    .filter(Boolean);
  if (unused.length > 0) ui.tell("warn", `${unused.join(" and ")} ignored: ${file} exists already`);
}

/** The configuration in force; on the first launch in a project, the one that is written then. */
async function find(
  options: RunOptions,
  ui: RunInterface,
): Promise<Result<DiscoveredConfig, Faults>> {
  const found = discoverConfig({ ...options, flag: options.configFlag });
  if (!found.ok) return err([found.error]);
  if (found.value) {
    tellUnused(found.value.file, options, ui);
    return ok(found.value);
  }
  return await firstLaunch(options, ui);
}

/**
 * Finds the configuration in force, or writes the first one, and decides
 * whether it may be used.
 */
export async function prepareConfig(
  options: RunOptions,
  ui: RunInterface,
): Promise<Result<PreparedConfig, Faults>> {
  const found = await find(options, ui);
  if (!found.ok) return found;
  return prepareFile(found.value.file, options, ui);
}

/** Reads the configuration in `path`, and decides whether it may be used. */
export function prepareFile(
  path: string,
  options: Admission,
  ui: Teller,
): Result<PreparedConfig, Faults> {
  const loaded = loadProject(path, options.env);
  if (!loaded.ok) return loaded;
  const admitted = admit(loaded.value, options, ui);
  if (!admitted.ok) return admitted;
  const { config, file, files } = admitted.value;
  for (const flaw of ownershipFlaws(config, files)) ui.tell("warn", flaw);
  return ok({ config, digest: file.digest, files });
}
