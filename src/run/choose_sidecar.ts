/** Which Sidecar serves a run: its own, or one that runs already. */
import type { Environment } from "../config/paths.ts";
import { err, ok, type Result } from "../core/result.ts";
import { daemonPaths, findComponent, type Marker } from "../daemon/state.ts";
import type { RunInterface } from "./options.ts";

/** What `firma run` was told about the Sidecar that is to serve it. */
export interface SidecarWish {
  /** `"local"`: one of its own. Otherwise the socket of a control API, which must be there. */
  readonly sidecar?: string | undefined;
  /** Not to start one. */
  readonly noAutostart: boolean;
  /** How long one that is starting may take, in milliseconds. */
  readonly startupTimeoutMs: number;
  /** Whether something was asked for that only a Sidecar of its own can give. */
  readonly needsOwn: boolean;
}

/** The decision. */
export type SidecarChoice =
  | { readonly kind: "own" }
  | {
    readonly kind: "join";
    readonly controlSocket: string;
    /** Whether a Sidecar of its own will do where this one cannot be joined. */
    readonly mayFallBack: boolean;
  };

interface MeantConfig {
  readonly file: string;
  readonly digest: string;
}

const OWN: SidecarChoice = { kind: "own" };
const LOOK_MS = 10;
/** One that takes longer to say what it serves is not joined. */
const STATUS_TIMEOUT_MS = 2_000;

/** Chooses. A daemon is joined only where it serves exactly the configuration that is meant. */
export async function chooseSidecar(
  wish: SidecarWish,
  config: MeantConfig,
  env: Environment,
  ui: Pick<RunInterface, "tell">,
  signal: AbortSignal,
): Promise<Result<SidecarChoice>> {
  if (wish.sidecar === "local") return ok(OWN);
  if (wish.sidecar !== undefined) {
    return ok({ kind: "join", controlSocket: wish.sidecar, mayFallBack: false });
  }
  if (wish.needsOwn) return ok(OWN);
  const found = await settled(wish, env, signal);
  const marker = found && await current(found, config, env);
  const reason = unfit(marker, config);
  if (reason === undefined) {
    const { controlSocket } = daemonPaths(env);
    return ok({ kind: "join", controlSocket, mayFallBack: !wish.noAutostart });
  }
  if (wish.noAutostart) return err(nothingToJoin(reason));
  // One for another project is nobody's concern here.
  if (marker?.config_file === config.file) {
    ui.tell("warn", `this run has a Sidecar of its own: ${reason}`);
  }
  return ok(OWN);
}

/** Whether there is a daemon that a run with this configuration would join; never throws. */
export function mayJoin(configFile: string | undefined, env: Environment): boolean {
  try {
    const marker = liveMarker(env);
    return configFile !== undefined && marker !== undefined &&
      marker.config_file === Deno.realPathSync(configFile);
  } catch {
    return false;
  }
}

/** The marker of the daemon's Sidecar, once that has started or is taking too long. */
async function settled(
  { startupTimeoutMs }: SidecarWish,
  env: Environment,
  signal: AbortSignal,
): Promise<Marker | undefined> {
  const until = performance.now() + startupTimeoutMs;
  let marker = liveMarker(env);
  while (marker?.state === "starting" && performance.now() < until && !signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    marker = liveMarker(env);
  }
  return marker;
}

/**
 * The marker with the digest that is in force now: a Sidecar takes over edits of its file that
 * need no new start, of which its marker does not know.
 */
async function current(marker: Marker, config: MeantConfig, env: Environment): Promise<Marker> {
  const isSame = marker.config_digest === config.digest || marker.config_file !== config.file;
  if (isSame || marker.state !== "running") return marker;
  const { askControl } = await import("../daemon/control_client.ts");
  const request = { method: "GET", path: "/v1/status" } as const;
  const status = await askControl(daemonPaths(env).controlSocket, request, STATUS_TIMEOUT_MS);
  const digest = status.ok && (status.value as { config_digest?: unknown } | null)?.config_digest;
  return typeof digest === "string" ? { ...marker, config_digest: digest } : marker;
}

function liveMarker(env: Environment): Marker | undefined {
  const found = findComponent("sidecar", env);
  // Whoever could have forged a marker is not believed; the run starts a Sidecar of its own.
  return found.ok && found.value?.isAlive ? found.value.marker : undefined;
}

function unfit(marker: Marker | undefined, config: MeantConfig): string | undefined {
  if (marker === undefined) return "none runs";
  if (marker.config_file !== config.file) {
    return `the one that runs serves "${marker.config_file}"`;
  }
  if (marker.config_digest !== config.digest) {
    return `the one that runs was started before "${config.file}" changed; ` +
      "firma sidecar stop, then start, makes it current";
  }
  if (marker.state !== "running") return `the one that runs is ${marker.state}`;
}

function nothingToJoin(reason: string) {
  return {
    code: "NO_SIDECAR",
    message: `Cannot join a Sidecar: ${reason}`,
    cure: "firma sidecar start --detach starts one; without --no-autostart the run brings its own",
  };
}
