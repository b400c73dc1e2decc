import { ok, type Result } from "../core/result.ts";
import { agentVariables } from "./environment.ts";
import { findProgram } from "./find_program.ts";
import { checkHostPrograms } from "./host_programs.ts";
import { holdLimits, USUAL_LIMITS } from "./limits/hold.ts";
import { type DescribedLimit, describeLimits } from "./limits/say.ts";
import { findLayout } from "./layout.ts";
import type { Mount } from "./mounts.ts";
import { isWithin } from "./paths.ts";
import { checkRequest, checkShape, type ConfineRequest, type Place } from "./request.ts";
import { ARTIFACTS } from "./seccomp/artifact.ts";
import type { DescribedRefusal } from "./seccomp/added.ts";
import { findSignIns } from "./sign_ins.ts";
import { type Survey, surveyWorkspace } from "./seals/survey.ts";
import { STUBS_DIR } from "./stores/protocol.ts";

/** A path as the agent finds it. */
export interface DescribedPath {
  readonly path: string;
  /** `empty`: a directory that shows nothing. `hidden`: a file that reads as nothing. */
  readonly access: "read-only" | "writable" | "empty" | "hidden" | "in memory";
  readonly why: string;
}

/** A variable of the agent's. */
export interface DescribedVariable {
  readonly name: string;
  /** Left out where it is the host's: it may be a secret. */
  readonly value?: string;
  readonly why: string;
}

/** What a command would find in the sandbox. */
export interface SandboxDescription {
  readonly paths: readonly DescribedPath[];
  readonly variables: readonly DescribedVariable[];
  /** Files in which what runs programs is undone after the run. */
  readonly undone_after_the_run: readonly string[];
  readonly limits: readonly DescribedLimit[];
  /** What the kernel refuses to the command. */
  readonly system_calls: {
    /** Id and version of the built-in policy, and the digest of its program. */
    readonly built_in: string;
    readonly sha256: string;
    /** What the operator refuses besides. */
    readonly added: readonly DescribedRefusal[];
  };
  /** What the profile names and would open too much. */
  readonly refused: readonly string[];
}

/** The parts of a request that its sandbox depends on. */
export type DescribedRequest =
  & Omit<ConfineRequest, "proxyDir" | "session" | "tools" | "onNotice">
  & {
    /** What the operator refuses beyond the built-in policy. @default [] */
    readonly addedRefusals?: readonly DescribedRefusal[];
    /** Variables that hold placeholders once there is a session. @default [] */
    readonly placeholders?: readonly string[];
  };

/**
 * What a command would find in the sandbox. Makes nothing that lasts and starts nothing; what can
 * hold its limits, only the kernel knows, which is asked for a cgroup that goes at once.
 */
export function describeSandbox(request: DescribedRequest): Result<SandboxDescription> {
  const place = checkRequest(request);
  if (!place.ok) return place;
  const { profile, cwd, startIn, home } = place.value;
  const { command, hostEnv, allowWrite = [], hiddenFiles = [], envPassthrough = [] } = request;
  const program = findProgram(command[0], hostEnv.PATH ?? "", startIn);
  if (!program.ok) return program;
  const survey = surveyWorkspace({ workspace: cwd, startIn, allowWrite });
  if (!survey.ok) return survey;
  const limits = holdLimits(request.limits ?? USUAL_LIMITS, `described-${Deno.pid}`);
  if (!limits.ok) return limits;
  void limits.value.cgroup?.remove();
  const uid = Deno.uid()!; // null only on Windows
  const layout = findLayout({
    place: place.value,
    program: program.value,
    uid,
    hostEnv,
    hiddenFiles,
    fileRule: request.fileRule,
  });
  const shape = checkShape(layout, cwd);
  if (!shape.ok) return shape;
  const outside = checkHostPrograms(request.hostPrograms ?? [], [cwd, ...layout.settings]);
  if (!outside.ok) return outside;
  const { secretStubs = [] } = request;
  const whyOf = (path: string, otherwise: string) =>
    layout.shaped.find((shaped) => shaped.path === path)?.why ?? otherwise;
  const overlaid = findSignIns({
    home,
    hostEnv,
    shown: [cwd, ...layout.settings, ...layout.readable],
    brokeredHosts: request.brokeredHosts ?? [],
  }).map(({ target }) => target);
  const sealedPaths = survey.value.places.flatMap(({ path }) => path ?? []);
  const variables = agentVariables({
    hostEnv,
    profile,
    passthrough: envPassthrough,
    home,
    path: secretStubs.length > 0 ? `${STUBS_DIR}:${layout.path}` : layout.path,
    sandboxId: request.sandboxId,
    sessionId: "known once the session is open",
    placeholders: Object.fromEntries(
      (request.placeholders ?? []).map((name) => [name, "made when the session is opened"]),
    ),
    hooksSealed: sealedPaths.some((path) => /\/(hooks|\.husky)(\/|$)/.test(path)),
  });
  const shown = (mounts: readonly Mount[], why: string): DescribedPath[] =>
    mounts.map(({ target }) => ({ path: target, access: "read-only", why }));
  return ok({
    paths: [
      ...["/tmp", "/run", "/var", home].map((path): DescribedPath => ({
        path,
        access: "in memory",
        why: "empty at the start, and gone with the run",
      })),
      ...shown(layout.system, "programs and settings of the system"),
      ...shown(layout.toolchains, "belongs to a program on PATH, or to the command"),
      ...layout.readable.map((path): DescribedPath => ({
        path,
        access: "read-only",
        why: whyOf(path, `home_read of [run.profiles.${profile.id}]`),
      })),
      ...layout.settings.map((path): DescribedPath => ({
        path,
        access: "writable",
        why: `settings of its own: profile ${profile.id} names it`,
      })),
      {
        path: cwd,
        access: layout.cwdAccess === "read-only" ? "read-only" : "writable",
        why: whyOf(cwd, "the workspace"),
      },
      ...layout.shaped.filter(({ access }) => access === "hidden"),
      ...sealedIn(place.value, survey.value),
      ...layout.programs.filter((path) => isWithin(path, cwd)).map((path): DescribedPath => ({
        path,
        access: "read-only",
        why: "firma itself, which the host runs",
      })),
      ...secretStubs.map(({ id, program }): DescribedPath => ({
        path: program,
        access: "read-only",
        why:
          `a stub, also in ${STUBS_DIR}: it asks for secrets of "${id}", and the program runs outside`,
      })),
      ...overlaid.map((path): DescribedPath => ({
        path,
        access: "writable",
        why: "a copy with placeholders in place of tokens; what is written there is not kept",
      })),
      ...[...layout.covered].filter(([path]) => !overlaid.includes(path))
        .map(([path, why]): DescribedPath => ({ path, access: "hidden", why })),
    ],
    variables: variables.map(({ name, value, why, ofHost }) => ({
      name,
      ...(!ofHost && { value }),
      why,
    })),
    undone_after_the_run: survey.value.guarded.map(({ path }) => path),
    limits: describeLimits(limits.value.plan.held),
    system_calls: {
      built_in: `${ARTIFACTS.policy} ${ARTIFACTS.version}`,
      sha256: ARTIFACTS.filters[Deno.build.arch].sha256,
      added: request.addedRefusals ?? [],
    },
    refused: layout.refused,
  });
}

function sealedIn({ cwd, sealed }: Place, { places }: Survey): DescribedPath[] {
  const hidden = sealed.filter((path) => isWithin(path, cwd)).map((path): DescribedPath => ({
    path,
    access: "empty",
    why: "policies, keys and state of firma's",
  }));
  const readOnly = new Map<string, DescribedPath>();
  for (const { path, why } of places) {
    if (path === undefined || sealed.includes(path)) continue;
    readOnly.set(path, { path, access: "read-only", why: `the host runs it later: ${why}` });
  }
  return [...hidden, ...readOnly.values()];
}
