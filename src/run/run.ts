/** `firma run`: one command under enforcement, from start to end. */
import { isAboutEveryProgram } from "../config/local_exec.ts";
import type { FirmaConfig } from "../config/schema.ts";
import { overrideAuthority } from "../config/override_authority.ts";
import { basename } from "../core/path.ts";
import { type Id, newId } from "../core/id.ts";
import { err, type FirmaError, ok, type Result, unwrap } from "../core/result.ts";
import { findProgram } from "../sandbox/find_program.ts";
import { addedFilterOf } from "./added_filter.ts";
import { fileRuleOf } from "./file_rule.ts";
import type { EarlySandbox } from "./early_sandbox.ts";
import type { EarlyStart } from "./early_start.ts";
import { FindingReports } from "./finding_reports.ts";
import { limitsFor } from "./limits.ts";
import { type Hosted, openHost } from "./open_host.ts";
import type { RunInterface, RunOptions } from "./options.ts";
import { prepareConfig, type PreparedConfig } from "./prepare.ts";
import { chooseProfile } from "./profile.ts";
import { createRunDirectory, removeAbandonedRuns } from "./run_directory.ts";
import { sealedDirectories } from "./sealed.ts";
import { extendProfiles } from "../sandbox/profiles.ts";
import type { ExecGateRequest } from "../sandbox/handoff.ts";
import type { SandboxSession } from "../sandbox/request.ts";
import type { Session } from "./session.ts";
import type { SessionHost } from "./session_host.ts";
import { dismissHelper } from "../daemon/helper_process.ts";
import { type SpareSidecar, spawnSidecar } from "./spare_sidecar.ts";
import { type SidecarWatch, watchSidecar } from "./sidecar_watch.ts";
import { Interrupted, RunSignals } from "./signals.ts";
import { surroundings } from "./surroundings.ts";
import { openWorkspaceWatch, placeholdersOf, type WorkspaceWatch } from "./workspace_watch.ts";

type Faults = readonly FirmaError[];

/** Names a command for the audit log: its arguments may hold secrets. */
function commandSummary([program, ...words]: readonly [string, ...string[]]): string {
  return `${basename(program)} (${words.length} argument${words.length === 1 ? "" : "s"})`;
}

/**
 * Runs a command in the sandbox and returns its exit status. Everything that
 * was started for it has ended when this returns, `early` too.
 */
export async function run(
  options: RunOptions,
  ui: RunInterface,
  early?: EarlyStart,
): Promise<Result<number, Faults>> {
  let spare = early?.sidecar;
  try {
    return await runWith(options, ui, {
      sandboxId: early?.sandboxId ?? newId("sbx"),
      sandbox: early?.sandbox,
      takeSpare() {
        const taken = spare ?? spawnSidecar();
        spare = undefined;
        return taken;
      },
    });
  } finally {
    await Promise.all([spare && dismissHelper(spare), early?.sandbox?.[Symbol.asyncDispose]()]);
  }
}

/** What may have been begun already. */
interface Begun {
  readonly sandboxId: Id<"sbx">;
  /** Ended by whoever began it. */
  readonly sandbox?: EarlySandbox | undefined;
  takeSpare(): SpareSidecar;
}

async function runWith(
  options: RunOptions,
  ui: RunInterface,
  begun: Begun,
): Promise<Result<number, Faults>> {
  if (options.env.FIRMA_RUN_SANDBOX_ID) {
    return err([{
      code: "NESTED_RUN",
      message: "Cannot start: FIRMA_RUN_SANDBOX_ID is set, so this is the inside of a sandbox",
      cure: "start firma outside, or unset the variable",
    }]);
  }
  // Before anything is asked or written for a command that cannot start.
  const program = findProgram(options.command[0], options.env.PATH ?? "", options.cwd);
  if (!program.ok) return err([program.error]);
  const prepared = await prepareConfig(options, ui);
  if (!prepared.ok) return prepared;
  const config = overrideAuthority(prepared.value.config, options.authority);
  if (!config.ok) return err([config.error]);
  using own = new DisposableStack();
  const signals = begun.sandbox?.signals ?? own.use(new RunSignals());
  try {
    const meant = { ...prepared.value, config: config.value };
    return await runPrepared(meant, options, ui, signals, begun);
  } catch (interrupted) {
    if (interrupted instanceof Interrupted) return ok(interrupted.exitCode);
    throw interrupted;
  }
}

function isReadableByOthers(file: string): boolean {
  try {
    return ((Deno.statSync(file).mode ?? 0) & 0o077) !== 0;
  } catch {
    return false; // whoever reads the file says what is wrong with it
  }
}

function asSandboxSession(session: Session): SandboxSession {
  const { session_id, proxy_socket, ca_certificate, environment, sign_ins } = session;
  return {
    sessionId: session_id,
    proxySocket: proxy_socket,
    caCertificatePem: ca_certificate,
    placeholders: environment,
    signIns: sign_ins,
  };
}

/**
 * Waits for the session, and for the snapshot of the workspace where there is to be one; from then
 * on the terminal is the agent's, and the Sidecar watched.
 *
 * @throws {Interrupted}
 */
async function openSession(
  hosting: Promise<Result<Hosted>>,
  signals: RunSignals,
  watch: SidecarWatch,
  workspaceWatch: WorkspaceWatch | undefined,
): Promise<Result<{ readonly session: Session; readonly host: SessionHost }>> {
  const hosted = await signals.unlessInterrupted(hosting);
  if (!hosted.ok) return hosted;
  const { host } = hosted.value;
  const session = await signals.unlessInterrupted(hosted.value.session);
  if (!session.ok) return session;
  const taken = workspaceWatch && await signals.unlessInterrupted(workspaceWatch.taken);
  if (taken?.ok === false) return taken;
  signals.attach();
  watch.attach(host);
  return ok({ session: session.value, host });
}

async function endHosted(hosting: Promise<Result<Hosted>>): Promise<void> {
  const hosted = await hosting.catch(() => undefined);
  if (hosted?.ok) await hosted.value.host[Symbol.asyncDispose]();
}

async function runPrepared(
  prepared: PreparedConfig,
  options: RunOptions,
  ui: RunInterface,
  signals: RunSignals,
  { sandboxId, sandbox, takeSpare }: Begun,
): Promise<Result<number, Faults>> {
  const { config } = prepared;
  const { capabilityFile, agent, monitor } = options;
  if (capabilityFile !== undefined && isReadableByOthers(capabilityFile)) {
    ui.tell("warn", `others can read "${capabilityFile}"; chmod 600 makes it a secret`);
  }
  const profiles = extendProfiles(config.run.profiles);
  const wanted = options.profile ?? config.run.profile;
  const profile = chooseProfile(wanted, options.command, profiles);
  if (!profile.ok) return err([profile.error]);
  const sealedDirs = sealedDirectories(options.workspace, prepared, options.env);
  if (!sealedDirs.ok) return err([sealedDirs.error]);
  const addedFilter = await addedFilterOf(config, prepared.files);
  if (!addedFilter.ok) return addedFilter;
  const fileRule = await fileRuleOf({
    config,
    files: prepared.files,
    agentId: agent === undefined && capabilityFile === undefined
      ? config.sidecar.authority.agentId
      : undefined,
  });
  if (!fileRule.ok) return fileRule;
  const { hostEnv, hiddenFiles, brokeredHosts, endOf, secretStubs, hostPrograms } = surroundings(
    config,
    options.env,
    capabilityFile,
  );
  using own = new DisposableStack();
  const directory = sandbox ? ok(sandbox.directory) : createRunDirectory(sandboxId, options.env);
  if (!directory.ok) return err([directory.error]);
  const runDirectory = sandbox ? directory.value : own.use(directory.value);
  await using workspaceWatch = await openWorkspaceWatch({
    prepared,
    run: options,
    sandboxId,
    sealedDirs: sealedDirs.value,
    ui,
  });
  const asked = Promise.withResolvers<void>();
  const hosting = openHost({
    prepared,
    run: options,
    request: {
      sandbox_id: sandboxId,
      ...(agent === undefined ? { agent_id: config.sidecar.authority.agentId } : { agent }),
      profile: profile.value,
      command: commandSummary(options.command),
      workspace: options.workspace,
      ...(capabilityFile && { capability_file: capabilityFile }),
      ...(monitor && { mode: "monitor" }),
    },
    runDirectory: runDirectory.path,
    ui,
    takeSpare,
    signal: signals.signal,
    onAsked: () => asked.resolve(),
  });
  // Whatever interrupts this run meanwhile, what was started for it ends with it.
  await using _hosted = { [Symbol.asyncDispose]: () => endHosted(hosting) };
  await Promise.race([asked.promise, hosting.catch(() => {})]);
  // Loads while the Sidecar starts or answers, and finds out meanwhile what it has to work with.
  const confining = import("../sandbox/confine.ts").then(
    ({ confine, findKnownTools, findTools }) => {
      const tools = findKnownTools(options.env, findTools);
      tools.catch(() => {}); // told by whoever awaits it
      return { confine, tools };
    },
  );
  confining.catch(() => {}); // told where it is awaited
  using watch = watchSidecar(runDirectory, ui);
  const opening = openSession(hosting, signals, watch, workspaceWatch);
  opening.catch(() => {}); // told where it is awaited
  const proxyDir = signals.unlessInterrupted(hosting)
    .then((hosted) => hosted.ok ? hosted.value.proxyDir : undefined, () => undefined);
  const reports = new FindingReports(opening);
  const { confine, tools } = await signals.unlessInterrupted(confining);
  const confined = await confine({
    tools,
    early: sandbox?.layer,
    command: options.command,
    cwd: options.workspace,
    startIn: options.cwd,
    profile: profile.value,
    profiles,
    sandboxId,
    hostEnv,
    envPassthrough: config.run.envPassthrough,
    proxyDir,
    session: opening.then(
      (opened) => opened.ok ? asSandboxSession(opened.value.session) : undefined,
      () => undefined,
    ),
    execGate: gateOf(config, profile.value, ui),
    secretStubs,
    hostPrograms,
    addedFilter: addedFilter.value,
    fileRule: fileRule.value,
    runDir: runDirectory.path,
    sealedDirs: sealedDirs.value,
    hiddenFiles,
    brokeredHosts,
    endOf,
    allowWrite: options.allowWrite ?? [],
    limits: limitsFor(profile.value, config),
    onNotice: (text) => ui.tell("warn", text),
    onFinding: (finding) => reports.add(finding),
  });
  if (!confined.ok) {
    if (signals.interrupted) throw signals.interrupted;
    const opened = confined.error.code === "NO_SESSION" ? await opening : confined;
    return err([opened.ok ? confined.error : opened.error]);
  }
  const { session, host } = unwrap(await opening);
  signals.onEnd(() => confined.value.terminate());
  workspaceWatch?.begin({
    placeholders: placeholdersOf(runDirectory.path),
    sessionId: session.session_id,
    host,
    agent: confined.value,
    report: (finding) => reports.add(finding),
  });
  // Side by side: the Sidecar writes down how the agent ended, and the sandbox ends.
  const recording = confined.value.ended.then(async (code) => {
    await workspaceWatch?.finish();
    if (watch.died) return;
    watch.detach();
    await reports.done();
    await host.endSession(session.session_id, code);
    if (!await host.end()) ui.tell("error", "The last records of this run may be missing");
  });
  recording.catch(() => {}); // told where it is awaited
  const exitCode = await confined.value.exitCode;
  removeAbandonedRuns(options.env);
  await recording;
  return ok(signals.interrupted?.exitCode ?? exitCode);
}

function gateOf(
  { run, sidecar }: FirmaConfig,
  profile: string,
  ui: RunInterface,
): ExecGateRequest | undefined {
  const { gate, timeoutMs } = run.localExec;
  if (gate !== "off") {
    const mayUseShims = gate === "auto" && !isAboutEveryProgram(sidecar.localExec);
    return { timeoutMs, governed: run.profiles[profile]?.governed, mayUseShims };
  }
  ui.tell("warn", "the execution gate is off: what the agent starts is not decided, nor recorded");
}
