/** The Sidecars of a state directory: the daemon, and those of single runs. */
import type { Environment } from "../config/paths.ts";
import { basename, join } from "../core/path.ts";
import { ok, type Result } from "../core/result.ts";
import { askControl } from "../daemon/control_client.ts";
import { isRunning } from "../daemon/end_process.ts";
import { lockHolder } from "../daemon/lock.ts";
import { type Component, daemonPaths, findComponent, type Found } from "../daemon/state.ts";
import { runDirectories } from "./run_directory.ts";

/** How a Sidecar is. */
export type SidecarState =
  | "starting"
  | "running"
  | "draining"
  | "restarting"
  | "unhealthy"
  | "stopped"
  | "unknown";

/** A JSON object that a Sidecar answered; nothing in it is checked or escaped. */
type Answer = Readonly<Record<string, unknown>>;

/** A Sidecar as `firma sidecar status` shows it. */
export interface SidecarRow {
  readonly kind: "daemon" | "run";
  readonly state: SidecarState;
  readonly pid: number | null;
  /** Of the run; a daemon has none of its own. */
  readonly sandbox_id: string | null;
  readonly agent_id: string | null;
  readonly session_id: string | null;
  /** `"local"` for an Authority in its own process. */
  readonly authority_url: string | null;
  readonly policy_bundle_version: string | null;
  /** RFC 3339. */
  readonly started_at: string | null;
  readonly uptime_secs: number | null;
  /** Where its control API listens. */
  readonly listen: string;
  readonly config_file: string | null;
  readonly mode: string | null;
  /** Its audit log, and whether that can be written. */
  readonly audit: unknown;
  /** Of a daemon: the process that keeps it running, `null` when there is none. */
  readonly supervisor_pid: number | null;
  /** Of a daemon: how often it was started again after it had ended by itself. */
  readonly restarts: number | null;
  /** Of a daemon: its Authority, where that is a process of its own. */
  readonly authority: AuthorityRow | null;
  readonly sessions: readonly Answer[];
}

/** The Authority of a daemon. */
export interface AuthorityRow {
  readonly state: SidecarState;
  readonly pid: number;
  readonly listen: string | null;
}

/** How long a Sidecar may take to answer, in milliseconds. */
const ANSWER_MS = 2_000;

/** The daemon, or `undefined` when there is none. */
export async function daemonRow(env: Environment): Promise<Result<SidecarRow | undefined>> {
  const paths = daemonPaths(env);
  const supervisor = lockHolder(paths);
  const found = findComponent("sidecar", env);
  if (!found.ok && found.error.code !== "MARKER_DAMAGED") return found;
  if (found.ok && found.value === undefined && supervisor === undefined) return ok(undefined);
  const marker = found.ok ? found.value?.marker : undefined;
  const answers = found.ok && found.value?.isAlive ? await ask(paths.controlSocket) : undefined;
  const state = found.ok
    ? stateOf(found.value, answers !== undefined, supervisor !== undefined)
    : "unknown";
  return ok({
    kind: "daemon",
    state,
    ...row(answers, marker?.started_at ?? null, paths.controlSocket),
    pid: found.ok && found.value?.isAlive ? found.value.marker.pid : null,
    sandbox_id: null,
    agent_id: null,
    session_id: null,
    config_file: marker?.config_file ?? null,
    supervisor_pid: supervisor?.pid ?? null,
    restarts: marker?.restarts ?? null,
    authority: authorityRow(env),
    sessions: answers?.sessions ?? [],
  });
}

/** The Sidecars of the runs that have one of their own. */
export async function runRows(env: Environment): Promise<SidecarRow[]> {
  const live = runDirectories(env).filter(({ abandoned }) => !abandoned);
  const rows = await Promise.all(live.map(({ path }) => runRow(path)));
  return rows.filter((row) => row !== undefined);
}

async function runRow(directory: string): Promise<SidecarRow | undefined> {
  const socket = join(directory, "control.sock");
  // Without the socket it is a run that has joined the daemon, or one that is starting.
  if (!hasSocket(socket)) return undefined;
  const answers = await ask(socket);
  const [session] = answers?.sessions ?? [];
  return {
    kind: "run",
    state: answers === undefined ? "unhealthy" : "running",
    ...row(answers, textOf(answers?.status.started_at), socket),
    pid: typeof answers?.status.pid === "number" ? answers.status.pid : null,
    sandbox_id: basename(directory),
    agent_id: textOf(session?.agent_id),
    session_id: textOf(session?.session_id),
    config_file: textOf(answers?.status.config_file),
    supervisor_pid: null,
    restarts: null,
    authority: null,
    sessions: answers?.sessions ?? [],
  };
}

function row(answers: Answers | undefined, startedAt: string | null, listen: string) {
  const status = answers?.status;
  const started = startedAt === null ? NaN : Date.parse(startedAt);
  return {
    authority_url: textOf(status?.authority),
    policy_bundle_version: textOf(status?.policy_bundle_version),
    started_at: startedAt,
    uptime_secs: Number.isNaN(started) || answers === undefined
      ? null
      : Math.max(0, Math.floor((Date.now() - started) / 1_000)),
    listen: `unix://${listen}`,
    mode: textOf(status?.mode),
    audit: status?.audit ?? null,
  };
}

function authorityRow(env: Environment): AuthorityRow | null {
  const component: Component = "authority";
  const found = findComponent(component, env);
  if (!found.ok || found.value === undefined) return null;
  const { marker, isAlive } = found.value;
  const state = isAlive ? marker.state : "stopped";
  return { state, pid: marker.pid, listen: marker.listen ?? null };
}

function stateOf(
  found: Found | undefined,
  answers: boolean,
  supervised: boolean,
): SidecarState {
  if (found === undefined) return "starting";
  const { marker, isAlive } = found;
  if (!isAlive || !isRunning(marker)) return supervised ? "restarting" : "stopped";
  if (marker.state === "running" && !answers) return "unhealthy";
  return marker.state;
}

interface Answers {
  readonly status: Answer;
  readonly sessions: readonly Answer[];
}

async function ask(socket: string): Promise<Answers | undefined> {
  const [status, sessions] = await Promise.all([
    askControl(socket, { method: "GET", path: "/v1/status" }, ANSWER_MS),
    askControl(socket, { method: "GET", path: "/v1/sessions" }, ANSWER_MS),
  ]);
  if (!status.ok || !sessions.ok) return undefined;
  const list = (sessions.value as { sessions?: unknown } | null)?.sessions;
  return {
    status: (status.value ?? {}) as Answer,
    sessions: Array.isArray(list) ? list : [],
  };
}

function hasSocket(path: string): boolean {
  try {
    return Deno.lstatSync(path).isSocket ?? false;
  } catch {
    return false;
  }
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
