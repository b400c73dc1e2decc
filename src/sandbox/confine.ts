import { dirname, join } from "../core/path.ts";
import { ensurePrivateDirectory } from "../config/paths.ts";
import { err, ok, type Result } from "../core/result.ts";
import { findBwrap } from "./bwrap.ts";
import { handoffPlace } from "./early_layer.ts";
import { hostRoots } from "./ca_bundle.ts";
import { agentEnvironment } from "./environment.ts";
import { connectionFinding, shimsNotice, textFinding } from "./findings.ts";
import { findProgram } from "./find_program.ts";
import { gatherEtc } from "./gathered_etc.ts";
import { makeSettings } from "./home_paths.ts";
import { type HeldLimits, holdLimits, USUAL_LIMITS } from "./limits/hold.ts";
import { watchLimits } from "./limits/watch.ts";
import { findLayout } from "./layout.ts";
import { BWRAP, HANDOFF_SOCKET, type LaunchPlan, PROXY_DIR } from "./handoff.ts";
import { checkHostPrograms } from "./host_programs.ts";
import type { RefusalReport } from "./init/refusals/tally.ts";
import { type ConfinedProcess, launch } from "./launch.ts";
import { canBuildView, firstView } from "./first_view.ts";
import { type Mount, mountArguments } from "./mounts.ts";
import { mountPlan } from "./mount_plan.ts";
import { startOuterLayer } from "./outer_layer.ts";
import { realPath } from "./paths.ts";
import {
  checkRequest,
  checkShape,
  type ConfineRequest,
  type Place,
  type SandboxSession,
  type SandboxTools,
} from "./request.ts";
import {
  etcTexts,
  innerMounts,
  lockedFiles,
  writeCertificates,
  writePublicFiles,
} from "./run_files.ts";
import { fillCopies, findSignIns, isInTheWay, makeCopies } from "./sign_ins.ts";
import { type SealedWorkspace, sealWorkspace } from "./seals/seal.ts";
import { showsAllOfEtc } from "./system_mounts.ts";
import { canResetSignals, signalsToReset } from "./signal_reset.ts";

export { findKnownTools } from "./known_tools.ts";
export type { ConfinedProcess, ConfineRequest };

/** Looks for what the sandbox is built with. Starts two programs, so that it is worth asking early. */
export function findTools(): Promise<SandboxTools> {
  return Promise.all([findBwrap(), canResetSignals()]);
}

/**
 * Starts a command in the sandbox, on this process's terminal. Resolves when the sandbox's
 * network is up and the command is being started; `exitCode` tells how it ended. Fails with
 * `NO_SESSION`, and leaves nothing behind, when the request's session never comes.
 */
export async function confine(request: ConfineRequest): Promise<Result<ConfinedProcess>> {
  const place = checkRequest(request);
  if (!place.ok) return place;
  const { command, hostEnv } = request;
  const program = findProgram(command[0], hostEnv.PATH ?? "", place.value.startIn);
  if (!program.ok) return program;
  const [bwrap, shielded] = await (request.tools ?? findTools());
  if (!bwrap.ok) return bwrap;
  if (!shielded) {
    request.onNotice?.(
      "Ctrl-C ends the whole run here: /usr/bin/env is not that of GNU coreutils 8.31 or newer",
    );
  }
  const limits = holdLimits(request.limits ?? USUAL_LIMITS, request.sandboxId);
  if (!limits.ok) return limits;
  const { cgroup } = limits.value;
  const confined = await confineWithin(limits.value, request, place.value, program.value, {
    bwrap: bwrap.value,
    shielded,
  });
  if (!confined.ok) await cgroup?.remove();
  if (!confined.ok || !cgroup) return confined;
  const stopWatching = watchLimits(limits.value, request);
  // What there is to tell is told while somebody still writes it down.
  const ended = confined.value.ended.then((code) => {
    stopWatching();
    return code;
  });
  const exitCode = confined.value.exitCode.finally(async () => {
    await ended;
    await cgroup.remove();
  });
  return ok({ ...confined.value, ended, exitCode });
}

interface Tools {
  readonly bwrap: string;
  readonly shielded: boolean;
}

/** Starts a command in a sandbox whose limits are prepared. */
async function confineWithin(
  limits: HeldLimits,
  request: ConfineRequest,
  place: Place,
  program: string,
  tools: Tools,
): Promise<Result<ConfinedProcess>> {
  const { cwd, startIn } = place;
  const { runDir } = request;
  const { directory: privateDir } = handoffPlace(runDir);
  const prepared = ensurePrivateDirectory(privateDir);
  if (!prepared.ok) return prepared;

  const seals = sealWorkspace({
    workspace: cwd,
    startIn,
    runDir,
    allowWrite: request.allowWrite ?? [],
  });
  if (!seals.ok) return seals;
  const tell = (notices: readonly string[]) => notices.forEach((text) => request.onNotice?.(text));
  tell(seals.value.notices);
  const tellUndone = (notices: readonly string[]) => {
    tell(notices);
    for (const text of notices) request.onFinding?.(textFinding("seal", text));
  };
  const ending = new DisposableStack();
  ending.defer(() => tellUndone(seals.value.release()));
  const release = () => ending.dispose();
  try {
    const confined = await build(request, place, program, tools, seals.value, limits, ending);
    if (!confined.ok) {
      release();
      return confined;
    }
    const stopWatching = seals.value.watch((text) => tellUndone([text]));
    // When the command has ended, nothing of the agent is left that could undo this again.
    const ended = confined.value.ended.then((code) => {
      stopWatching();
      release();
      return code;
    });
    const exitCode = confined.value.exitCode.finally(() => ended);
    return ok({ ...confined.value, ended, exitCode });
  } catch (cause) {
    release();
    throw cause;
  }
}

/** Builds the sandbox around a workspace that is sealed; what it needs until its end goes to `ending`. */
async function build(
  request: ConfineRequest,
  place: Place,
  program: string,
  { bwrap, shielded }: Tools,
  seals: SealedWorkspace,
  { plan: limitPlan, cgroup }: HeldLimits,
  ending: DisposableStack,
): Promise<Result<ConfinedProcess>> {
  const { profile, cwd, startIn, home, sealed } = place;
  const { command, hostEnv, runDir } = request;
  const { directory: privateDir, socket: handoffSocket } = handoffPlace(runDir);
  // Null only on Windows.
  const uid = Deno.uid()!;
  const gid = Deno.gid()!;
  const publicDir = join(runDir, "public");
  const user = userName(hostEnv);
  const identity = { uid, gid, home, user, shell: hostEnv.SHELL || "/bin/sh" };
  const texts = etcTexts(identity, Deno.hostname());
  const replaced = writePublicFiles({
    directory: publicDir,
    identity,
    etc: showsAllOfEtc(uid) ? texts : {},
    hostEnv,
    locked: seals.paths,
    unversioned: seals.unversioned,
  });
  makeSettings({ profile, home, hostEnv });
  const { hiddenFiles = [] } = request;
  const { fileRule } = request;
  const layout = findLayout({ place, program, uid, hostEnv, hiddenFiles, fileRule });
  const shape = checkShape(layout, cwd);
  if (!shape.ok) return shape;
  const outside = checkHostPrograms(request.hostPrograms ?? [], [cwd, ...layout.settings]);
  if (!outside.ok) return outside;
  for (const { path, access, why } of layout.shaped) {
    request.onNotice?.(`"${path}" is ${access} in the sandbox: ${why}`);
  }
  for (const text of layout.refused) request.onNotice?.(text);
  const signIns = findSignIns({
    home,
    hostEnv,
    shown: [cwd, ...layout.settings, ...layout.readable],
    brokeredHosts: request.brokeredHosts ?? [],
  });
  for (const { target } of signIns.filter(isInTheWay)) {
    request.onNotice?.(
      `"${target}" holds a sign-in, over which a copy lies: the program that it is of, which replaces ` +
        "that file, will not start before it is signed out",
    );
  }
  const copies = makeCopies(signIns, privateDir);
  const overlaid = signIns.map(({ target }, index) => ({ source: copies[index]!, target }));
  const { sockets } = layout;
  const covered = [...layout.covered.keys()]
    .filter((path) => !overlaid.some(({ target }) => target === path) && !sockets.includes(path));
  const directory = join(dirname(dirname(runDir)), "etc");
  const system = showsAllOfEtc(uid) ? layout.system : ending.use(
    gatherEtc({ directory, system: layout.system, texts, covered: [...covered, ...sockets] }),
  ).system;
  const proxyDir = await request.proxyDir;
  if (proxyDir === undefined) return noSession();
  const handoff: Mount = { kind: "bind", source: handoffSocket, target: HANDOFF_SOCKET };
  const mounts = mountPlan({
    ...layout,
    system,
    home,
    cwd,
    locked: lockedFiles(publicDir, seals.paths.filter(({ path }) => !sealed.includes(path))),
    sealed: [...sealed, ...layout.emptied],
    covered,
    overlaid,
    replaced,
    publicDir,
    privateMounts: [
      ...layout.init.mounts,
      { kind: "bind", source: realPath(bwrap), target: BWRAP },
      // The gate writes down there what it lets run.
      { kind: "bind", source: proxyDir, target: PROXY_DIR, writable: true },
    ],
  });
  const planFor = ({ sessionId, placeholders }: SandboxSession): LaunchPlan => ({
    command,
    cwd: startIn,
    uid,
    gid,
    environment: agentEnvironment({
      hostEnv,
      profile,
      passthrough: request.envPassthrough ?? [],
      home,
      path: layout.path,
      sandboxId: request.sandboxId,
      sessionId,
      ...(placeholders && { placeholders }),
      hooksSealed: seals.paths.some(({ path }) => /\/(hooks|\.husky)(\/|$)/.test(path)),
    }),
    innerMounts: innerMounts(publicDir, replaced),
    sockets,
    ...openFilesOf(Deno.ppid),
    limits: {
      rlimits: limitPlan.rlimits,
      ...(limitPlan.numbers !== undefined && { numbers: limitPlan.numbers }),
      agentFirst: "memory.max" in limitPlan.cgroup,
    },
    shielded,
    ...(request.execGate && { execGate: request.execGate }),
    ...(request.secretStubs && { secretStubs: request.secretStubs }),
    ...(request.addedFilter && { addedFilter: request.addedFilter }),
    defaultSignals: shielded ? signalsToReset() : [],
  });
  const makePlan = async (): Promise<Result<LaunchPlan>> => {
    const roots = hostRoots(hostEnv); // takes long, and needs no session
    const usable = checkSession(await request.session, proxyDir);
    if (!usable.ok) return usable;
    writeCertificates(publicDir, roots, usable.value.caCertificatePem);
    fillCopies(signIns, copies, usable.value.signIns ?? {}, request.endOf);
    return ok(planFor(usable.value));
  };
  let made: Promise<Result<LaunchPlan>> | undefined;
  const plan = () => made ??= makePlan();
  const layer = {
    bwrap,
    init: layout.init,
    handoffSocket,
    shielded,
    cgroupProcs: cgroup?.procs,
    hasGate: request.execGate !== undefined,
  };
  const hearing = {
    onShims: (reason: string) => {
      const text = shimsNotice(reason);
      request.onNotice?.(text);
      request.onFinding?.(textFinding("gate", text));
    },
    onRefusal: (report: RefusalReport) => request.onFinding?.(connectionFinding(report)),
  };
  const isEarly = request.early?.bwrap === bwrap && shielded && request.viewBuilder === undefined;
  const early = isEarly ? request.early : undefined;
  if (request.early && !isEarly) {
    await request.early[Symbol.asyncDispose]();
    Deno.removeSync(handoffSocket);
  }
  if (early || request.viewBuilder !== "bwrap" && canBuildView()) {
    const view = mounts.map(withRealSource);
    const launched = await launch({
      ...(early
        ? { layer: early.layer, moveTo: cgroup?.procs }
        : { layer: startOuterLayer({ ...layer, mounts: firstView(layout.init.mounts, handoff) }) }),
      ground: { view },
      plan,
      ...hearing,
    });
    if (launched.ok || !launched.error.isOfLayer || launched.error.code !== "SANDBOX_FAILED") {
      return launched;
    }
    // Some mount of the host may be such that bwrap cannot show all of it.
    Deno.removeSync(handoffSocket);
  }
  return await launch({
    layer: startOuterLayer({ ...layer, mounts: mountArguments([...mounts, handoff]) }),
    ground: {},
    plan,
    ...hearing,
  });
}

function noSession(): Result<never> {
  return err({ code: "NO_SESSION", message: "Cannot start the command: there is no session" });
}

function checkSession(
  session: SandboxSession | undefined,
  proxyDir: string,
): Result<SandboxSession> {
  if (session === undefined) return noSession();
  if (dirname(session.proxySocket) === proxyDir) return ok(session);
  return err({
    code: "PROXY_ELSEWHERE",
    message:
      `Cannot start the command: its way out is "${session.proxySocket}", not in "${proxyDir}"`,
  });
}

/** `__init` follows no link to what it shows. */
function withRealSource(mount: Mount): Mount {
  return mount.kind === "bind" ? { ...mount, source: realPath(mount.source) } : mount;
}

/** The limit that this process was started with; Deno has raised its own. */
function openFilesOf(pid: number): { readonly openFiles?: number } {
  try {
    const limits = Deno.readTextFileSync(`/proc/${pid}/limits`);
    const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    return soft ? { openFiles: Number(soft) } : {};
  } catch {
    return {}; // a parent of another user, as under sudo
  }
}

function userName(hostEnv: Readonly<Record<string, string>>): string {
  const name = hostEnv.USER || hostEnv.LOGNAME || "";
  return /^[\w.-]+$/.test(name) ? name : "agent";
}
