/** `firma config`: from flags and answers to files that are written. */
import { basename, dirname, join, resolve } from "../../core/path.ts";
import { CONFIG_DIRECTORY, CONFIG_FILE, discoverConfig } from "../../config/discover.ts";
import { checkConfigFile, readConfigFile } from "../../config/load.ts";
import { operatorFiles } from "../../config/operator_files.ts";
import { dataDir, projectDataDir, stateDir } from "../../config/paths.ts";
import { recordRemovals } from "../../config/policy_removals.ts";
import { DEFAULT_POSTURE, defaultMappings } from "../../config/scaffold.ts";
import type { Answers, Given } from "../../config/setup/answers.ts";
import { applyPlan } from "../../config/setup/apply.ts";
import { planSetup, type SetupPlan } from "../../config/setup/plan.ts";
import { existingAnswers, type Project, readProject } from "../../config/setup/project.ts";
import { lockTrust, recordChange, recordTrust, trustState } from "../../config/trust.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import { writeNewFiles } from "../../pki/new_files.ts";
import { realPath } from "../../sandbox/paths.ts";
import { profileById } from "../../sandbox/profiles.ts";
import { checkWorkspace } from "../../sandbox/workspace.ts";
import { tlsFiles } from "../authority/init_tls.ts";
import { confirm } from "../confirm.ts";
import { print } from "../output.ts";
import { flagAnswers, type SetUpFlags } from "./set_up_flags.ts";
import { nextSteps, planLines } from "./set_up_report.ts";

type Faults = readonly FirmaError[];

/** Where the configuration is, or is to be: an absolute path. */
function targetDirectory(flags: SetUpFlags): Result<string> {
  const cwd = Deno.cwd();
  if (flags.outputDir !== undefined) return ok(resolve(cwd, flags.outputDir));
  if (flags.workspace !== undefined) return ok(resolve(cwd, flags.workspace, CONFIG_DIRECTORY));
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

/** Refuses what a cloned repository brought: what firma changes in it, it would vouch for. */
function checkTrust({ existing }: Project): Result<void> {
  if (existing === undefined) return ok(undefined);
  const { state } = trustState(existing.file, Deno.env.toObject());
  if (state === "trusted") return ok(undefined);
  return err({
    code: "CONFIG_NOT_TRUSTED",
    message: `Cannot change "${existing.file.file}": ${
      state === "changed"
        ? "it changed since you trusted it"
        : "firma did not write it, and you have not trusted it"
    }`,
    cure: "read it, then: firma trust; or remove it, and firma config writes a new one",
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

/** Whether policies are there, or lie where they are not firma's to write. */
function hasPolicies({ policyDir, files }: Project): boolean {
  return policyDir === undefined ||
    [...files.keys()].some((path) => dirname(path) === policyDir);
}

/** What holds unless somebody answers otherwise. */
function defaults(
  project: Project,
  before: Partial<Answers>,
  flags: Partial<Answers>,
): Answers {
  const known = { ...before, ...flags };
  const program = known.profile === undefined ? undefined : profileById(known.profile)?.commands[0];
  return {
    mode: "agent-local",
    profile: undefined,
    agentId: undefined,
    posture: hasPolicies(project) ? undefined : DEFAULT_POSTURE,
    mappings: program ? defaultMappings([program]) : [...defaultMappings([]), "anthropic"],
    extraHosts: [],
    authorityListen: known.mode === "authority" ? "127.0.0.1:9443" : undefined,
    authorityUrl: undefined,
    authorityCaCert: undefined,
    authorityPubKey: undefined,
    authorityClientCert: undefined,
    authorityClientKey: undefined,
    ...Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)),
  };
}

const NEEDED_REMOTE = [
  ["authorityUrl", "--authority-url"],
  ["agentId", "--agent-id"],
] as const;
const NEEDED_HTTPS = [
  ["authorityPubKey", "--authority-pub-key"],
  ["authorityClientCert", "--authority-client-cert"],
  ["authorityClientKey", "--authority-client-key"],
] as const;

/** Names what an agent under an Authority elsewhere lacks. */
function checkComplete(answers: Answers): Result<void, Faults> {
  if (answers.mode !== "agent-remote") return ok(undefined);
  const isNetwork = answers.authorityUrl?.startsWith("https:") ?? false;
  const missing = [...NEEDED_REMOTE, ...(isNetwork ? NEEDED_HTTPS : [])]
    .filter(([name]) => answers[name] === undefined);
  if (missing.length === 0) return ok(undefined);
  return err(missing.map(([, flag]) => ({
    code: "ANSWER_MISSING",
    message: `Cannot set up an agent under an Authority elsewhere: ${flag} is missing`,
    cure: flag.includes("client")
      ? "firma authority issue-client-cert makes certificate and key, where the Authority is"
      : "ask whoever runs the Authority",
  })));
}

/** The answers that differ from what was there, and those of flags. */
function givenAnswers(
  answers: Answers,
  before: Partial<Answers>,
  flags: Partial<Answers>,
): Given {
  const names = Object.keys(answers) as (keyof Answers)[];
  const differs = (name: keyof Answers) =>
    JSON.stringify(answers[name]) !== JSON.stringify(before[name]);
  const isNew = before.mode === undefined;
  return new Set(names.filter((name) => isNew || flags[name] !== undefined || differs(name)));
}

function isNetworkAddress(address: string | undefined): boolean {
  return address !== undefined && !address.startsWith("unix:");
}

/** Where an Authority that listens on the network has its certificates. */
function tlsDirectory({ directory, existing }: Project, answers: Answers): string | undefined {
  if (answers.mode !== "authority" || !isNetworkAddress(answers.authorityListen)) return undefined;
  const file = existing?.file.file ??
    join(realPath(dirname(directory)), basename(directory), CONFIG_FILE);
  return join(projectDataDir(Deno.env.toObject(), file), "tls");
}

async function writeTls(
  directory: string,
  answers: Answers,
  force: boolean,
): Promise<Result<void>> {
  const isThere = readConfigFile(join(directory, "server.crt")).ok;
  if (isThere && !force) return ok(undefined);
  const host = /^\[?(.*?)\]?:\d+$/.exec(answers.authorityListen ?? "")?.[1] ?? "";
  const isAny = host === "0.0.0.0" || host === "::";
  const names = new Set([
    "localhost",
    "127.0.0.1",
    "::1",
    Deno.hostname(),
    ...(isAny ? [] : [host]),
  ]);
  const files = await tlsFiles(directory, [...names]);
  return files.ok ? await writeNewFiles(files.value, true) : files;
}

/** Writes the plan and goes on trusting the configuration; nobody else sets it up meanwhile. */
async function write(
  project: Project,
  plan: SetupPlan,
  answers: Answers,
  { tlsDir, force }: { readonly tlsDir: string | undefined; readonly force: boolean },
): Promise<Result<string, Faults>> {
  const env = Deno.env.toObject();
  const { directory, existing, policyDir } = project;
  const parent = dirname(directory);
  try {
    Deno.mkdirSync(parent, { recursive: true });
  } catch (cause) {
    return err([{
      code: "CONFIG_NOT_WRITTEN",
      message: `Cannot make "${parent}": ${cause instanceof Error ? cause.message : cause}`,
    }]);
  }
  if (tlsDir !== undefined) {
    const made = await writeTls(tlsDir, answers, force);
    if (!made.ok) return err([made.error]);
  }
  const place = join(realPath(parent), basename(directory), CONFIG_FILE);
  using _lock = lockTrust(existing?.file.file ?? place, env);
  const state = existing && trustState(existing.file, env);
  const removed = plan.changes.flatMap(({ path, before, after }) =>
    after === undefined && before !== undefined && dirname(path) === policyDir
      ? [{ file: basename(path), text: before }]
      : []
  );
  if (removed.length > 0) {
    // First, so that an Authority that runs knows when it sees them gone.
    const recorded = recordRemovals(projectDataDir(env, existing?.file.file ?? place), removed);
    if (!recorded.ok) return err([recorded.error]);
  }
  const applied = applyPlan(project, plan);
  if (!applied.ok) return err([applied.error]);
  const file = readConfigFile(applied.value);
  if (!file.ok) return err([file.error]);
  const config = checkConfigFile(file.value, env);
  if (!config.ok) return config;
  const files = operatorFiles(config.value);
  const paths = new Set(plan.changes.map(({ path }) => join(dirname(file.value.file), path)));
  const recorded = state?.state === "trusted"
    ? recordChange(state.record, file.value, paths, files, env)
    : recordTrust(file.value, files, "scaffold", env);
  return recorded.ok ? ok(applied.value) : err([recorded.error]);
}

/** Asks where there is somebody to ask; takes flags and defaults where that was agreed to. */
async function answered(
  flags: SetUpFlags,
  start: Answers,
  given: Partial<Answers>,
  directory: string,
): Promise<Result<Answers>> {
  if (flags.yes || flags.dryRun) return ok(start);
  if (!Deno.stdin.isTerminal() || !Deno.stderr.isTerminal()) {
    return err({
      code: "NOBODY_TO_ASK",
      message: "Cannot ask: there is no terminal",
      cure: "--yes takes flags and defaults, --dry-run shows what they would write",
    });
  }
  const { askForAnswers, EndOfAnswers } = await import("./questions.ts");
  try {
    return ok(askForAnswers(start, given, directory));
  } catch (thrown) {
    if (!(thrown instanceof EndOfAnswers)) throw thrown;
    return err(DECLINED);
  }
}

const DECLINED: FirmaError = { code: "DECLINED", message: "Nothing was written" };

/** Does what a command line of `firma config` asks for. */
export async function setUp(flags: SetUpFlags): Promise<Result<void, Faults>> {
  const env = Deno.env.toObject();
  const directory = targetDirectory(flags);
  if (!directory.ok) return err([directory.error]);
  const project = readProject(directory.value, env);
  if (!project.ok) return project;
  const trusted = checkTrust(project.value);
  if (!trusted.ok) return err([trusted.error]);
  const fromFlags = flagAnswers(flags, directory.value);
  if (!fromFlags.ok) return fromFlags;
  const before = existingAnswers(project.value);
  const start = defaults(project.value, before, fromFlags.value);
  const place = checkPlace(project.value, start.mode);
  if (!place.ok) return err([place.error]);
  const answers = await answered(flags, start, fromFlags.value, directory.value);
  if (!answers.ok) return err([answers.error]);
  const complete = checkComplete(answers.value);
  if (!complete.ok) return complete;
  const force = flags.force ?? false;
  const tlsDir = tlsDirectory(project.value, answers.value);
  const given = givenAnswers(answers.value, before, fromFlags.value);
  const plan = planSetup(project.value, answers.value, given, { force, tlsDir });
  if (!plan.ok) return plan;
  const lines = planLines(plan.value, directory.value);
  print(lines.map((line) => `${line}\n`).join(""));
  if (plan.value.changes.length === 0) {
    print("Nothing to change.\n");
    return ok(undefined);
  }
  if (flags.dryRun) return ok(undefined);
  if (!flags.yes && !await confirm([`${directory.value} will be written as above`], "Go on?")) {
    return err([DECLINED]);
  }
  // Whoever interrupts now would leave half of it behind.
  const ignore = () => {};
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, ignore);
  const done = await write(project.value, plan.value, answers.value, { tlsDir, force });
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.removeSignalListener(signal, ignore);
  if (!done.ok) return done;
  print(nextSteps(done.value, answers.value, tlsDir));
  return ok(undefined);
}
