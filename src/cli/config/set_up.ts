/** `firma config`: from flags and answers to files that are written. */
import { basename, dirname, join, resolve } from "../../core/path.ts";
import { CONFIG_DIRECTORY, CONFIG_FILE, discoverConfig } from "../../config/discover.ts";
import { dataDir, stateDir } from "../../config/paths.ts";
import type { Answers } from "../../config/setup/answers.ts";
import { planSetup, type SetupPlan } from "../../config/setup/plan.ts";
import { existingAnswers, type Project, readProject } from "../../config/setup/project.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import { realPath } from "../../sandbox/paths.ts";
import { extendProfiles } from "../../sandbox/profiles.ts";
import { checkWorkspace } from "../../sandbox/workspace.ts";
import { confirm } from "../confirm.ts";
import { print } from "../output.ts";
import { isDirectory } from "../policy/sources.ts";
import { checkTrust } from "./check_trust.ts";
import { checkComplete, defaultAnswers, givenAnswers } from "./set_up_answers.ts";
import { flagAnswers, type SetUpFlags } from "./set_up_flags.ts";
import { nextSteps, planLines, whatHolds } from "./set_up_report.ts";
import { tlsDirectory, writePlan } from "./set_up_write.ts";

type Faults = readonly FirmaError[];

/** Where the configuration is, or is to be: an absolute path. */
function targetDirectory(flags: SetUpFlags): Result<string> {
  const cwd = Deno.cwd();
  if (flags.outputDir !== undefined) return ok(resolve(cwd, flags.outputDir));
  if (flags.workspace !== undefined) {
    const workspace = resolve(cwd, flags.workspace);
    if (isDirectory(workspace)) return ok(join(workspace, CONFIG_DIRECTORY));
    return err({
      code: "WORKSPACE_MISSING",
      message: `Cannot set up "${workspace}": there is no such directory`,
      cure: "name the directory of the project",
    });
  }
  const found = discoverConfig({ flag: flags.config, env: Deno.env.toObject(), cwd });
  if (!found.ok) return found;
  if (found.value === undefined) return ok(join(cwd, CONFIG_DIRECTORY));
  const { file } = found.value;
  if (basename(file) === CONFIG_FILE) return ok(dirname(file));
  return err({
    code: "CONFIG_NAME",
    message: `Cannot change "${file}": its name is not ${CONFIG_FILE}`,
    cure: "edit it yourself, then: firma trust",
  });
}

/** Refuses a new project where no agent could work. */
function checkPlace(project: Project, mode: Answers["mode"]): Result<void> {
  if (project.existing !== undefined || mode === "authority") return ok(undefined);
  if (basename(project.directory) !== CONFIG_DIRECTORY) return ok(undefined);
  const env = Deno.env.toObject();
  return checkWorkspace({
    cwd: realPath(dirname(project.directory)),
    homes: env["HOME"] ? [env["HOME"], realPath(env["HOME"])] : [],
    hidden: [stateDir(env), dataDir(env)].map(realPath),
  });
}

/** Asks where there is somebody to ask; takes flags and defaults where that was agreed to. */
async function answered(
  flags: SetUpFlags,
  start: Answers,
  ask: () => Promise<Answers>,
): Promise<Result<Answers>> {
  if (flags.yes || flags.dryRun) return ok(start);
  if (!Deno.stdin.isTerminal() || !Deno.stderr.isTerminal()) {
    return err({
      code: "NOBODY_TO_ASK",
      message: "Cannot ask: there is no terminal",
      cure: "--yes takes flags and defaults, --dry-run shows what they would write",
    });
  }
  try {
    return ok(await ask());
  } catch (thrown) {
    const { EndOfAnswers } = await import("./questions.ts");
    if (!(thrown instanceof EndOfAnswers)) throw thrown;
    return err(DECLINED);
  }
}

const DECLINED: FirmaError = { code: "DECLINED", message: "Nothing was written" };

interface Planned {
  readonly project: Project;
  readonly answers: Answers;
  readonly plan: SetupPlan;
  readonly tlsDir: string | undefined;
}

/** Finds out what there is and what is wanted, and what would have to change. */
async function planned(flags: SetUpFlags): Promise<Result<Planned, Faults>> {
  const directory = targetDirectory(flags);
  if (!directory.ok) return err([directory.error]);
  const project = readProject(directory.value, Deno.env.toObject());
  if (!project.ok) return project;
  const trusted = checkTrust(project.value);
  if (!trusted.ok) return err([trusted.error]);
  const { existing } = project.value;
  const profiles = extendProfiles(existing?.config.run.profiles ?? {});
  const fromFlags = flagAnswers(flags, directory.value, profiles);
  if (!fromFlags.ok) return fromFlags;
  const before = existingAnswers(project.value);
  const start = defaultAnswers(project.value, before, fromFlags.value, profiles);
  const place = checkPlace(project.value, start.mode);
  if (!place.ok) return err([place.error]);
  const ask = async () => {
    const { askForAnswers } = await import("./questions.ts");
    return askForAnswers(start, fromFlags.value, directory.value, profiles);
  };
  const answers = await answered(flags, start, ask);
  if (!answers.ok) return err([answers.error]);
  const complete = checkComplete(answers.value);
  if (!complete.ok) return complete;
  const tlsDir = tlsDirectory(project.value, answers.value);
  const given = givenAnswers(answers.value, before, fromFlags.value);
  const options = { force: flags.force ?? false, tlsDir };
  const plan = planSetup(project.value, answers.value, given, options);
  if (!plan.ok) return plan;
  return ok({ project: project.value, answers: answers.value, plan: plan.value, tlsDir });
}

/** Does what a command line of `firma config` asks for. */
export async function setUp(flags: SetUpFlags): Promise<Result<void, Faults>> {
  const found = await planned(flags);
  if (!found.ok) return found;
  const { project, answers, plan, tlsDir } = found.value;
  print(planLines(plan, project.directory).map((line) => `${line}\n`).join(""));
  if (plan.changes.length === 0) {
    print("Nothing to change.\n");
    return ok(undefined);
  }
  if (flags.dryRun) return ok(undefined);
  if (!flags.yes && !await confirm([`${project.directory} will be written as above`], "Go on?")) {
    return err([DECLINED]);
  }
  // Whoever interrupts now would leave half of it behind.
  const ignore = () => {};
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, ignore);
  const options = { tlsDir, force: flags.force ?? false };
  const done = await writePlan(project, plan, answers, options);
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.removeSignalListener(signal, ignore);
  if (!done.ok) return done;
  print(
    project.existing === undefined
      ? nextSteps(done.value, answers, tlsDir)
      : whatHolds(done.value, project.existing.file.text),
  );
  return ok(undefined);
}
