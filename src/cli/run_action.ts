import { resolve } from "../core/path.ts";
import { escapeLinesForTerminal } from "../core/escape.ts";
import { type FirmaError, ok, type Result } from "../core/result.ts";
import { findWorkspace } from "../run/find_workspace.ts";
import type { RunInterface, RunOptions } from "../run/options.ts";
import { run } from "../run/run.ts";
import { readWishes } from "../run/wishes.ts";
import type { EarlyStart } from "../run/early_start.ts";
import { confirm } from "./confirm.ts";
import { environment } from "./environment.ts";
import { print, printError, printNotice } from "./output.ts";
import type { RunLine } from "./run_flags.ts";

const terminal: RunInterface = {
  get interactive() {
    return Deno.stdin.isTerminal() && Deno.stderr.isTerminal();
  },
  tell: printNotice,
  confirm,
};

const LAUNCHER_ERROR = 1;
const USAGE_ERROR = 2;

/** What a shell answers to a command that it cannot start (POSIX, 2.8.2). */
const COMMAND_ERRORS: Readonly<Record<string, number>> = {
  COMMAND_NOT_EXECUTABLE: 126,
  COMMAND_NOT_FOUND: 127,
};

async function printEffectiveConfig(
  options: RunOptions,
): Promise<Result<number, readonly FirmaError[]>> {
  const { effectiveConfig } = await import("../run/effective.ts");
  const config = await effectiveConfig(options);
  if (!config.ok) return config;
  print(`${escapeLinesForTerminal(JSON.stringify(config.value, null, 2))}\n`);
  return ok(0);
}

/**
 * Does what a command line of `firma run` asks for, and returns the exit status. `early` may be
 * given by whoever began something while this was loading.
 */
export async function runLine(
  { program, words, flags }: RunLine,
  early?: EarlyStart,
): Promise<number> {
  const env = environment(flags);
  const wishes = readWishes(flags, env, Deno.build.os);
  if (!wishes.ok) {
    printError(wishes.error);
    return USAGE_ERROR;
  }
  const cwd = Deno.cwd();
  const workspace = findWorkspace({ cwd, env, workspace: flags.workspace });
  if (!workspace.ok) {
    printError(workspace.error);
    return USAGE_ERROR;
  }
  const { path, notice } = workspace.value;
  if (notice !== undefined && !flags.printEffectiveConfig) printNotice("info", notice);
  const options: RunOptions = {
    command: [program, ...words],
    cwd,
    workspace: path,
    env,
    ...wishes.value,
    configFlag: flags.config,
    profile: flags.profile,
    posture: flags.posture,
    mappings: flags.mapping ?? [],
    capabilityFile: flags.capabilityFile && resolve(cwd, flags.capabilityFile),
    allowWrite: (flags.allowWrite ?? []).map((path) => resolve(cwd, path)),
    yes: flags.yes ?? false,
    trust: flags.trust ?? false,
  };
  const result = flags.printEffectiveConfig
    ? await printEffectiveConfig(options)
    : await run(options, terminal, early);
  if (!result.ok) result.error.forEach(printError);
  return result.ok ? result.value : COMMAND_ERRORS[result.error[0]?.code ?? ""] ?? LAUNCHER_ERROR;
}
