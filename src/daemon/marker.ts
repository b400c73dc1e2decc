import { err, ok, type Result } from "../core/result.ts";

/** What a daemon consists of. */
export const COMPONENTS = ["sidecar", "authority"] as const;
export type Component = typeof COMPONENTS[number];

/** How far a component of a daemon has come. */
export const MARKER_STATES = ["starting", "running", "draining"] as const;
export type MarkerState = typeof MARKER_STATES[number];

/** What a component of a daemon leaves for others to find it by. */
export interface Marker {
  readonly component: Component;
  readonly pid: number;
  /** Start of that process as {@linkcode processStart} tells it: a pid is given again. */
  readonly pid_start: number;
  /** RFC 3339; when this process of the component was started. */
  readonly started_at: string;
  readonly state: MarkerState;
  /** The `firma.toml`, absolute and without symbolic links. */
  readonly config_file: string;
  /** SHA-256 that it had, hex. */
  readonly config_digest: string;
  /** Of a Sidecar: the control API. */
  readonly control_socket?: string;
  /** Of a Sidecar: the decision API. */
  readonly decision_socket?: string;
  /** Of an Authority: where it listens, as in `listen_addr`. */
  readonly listen?: string;
  /** How often it was started again because it had ended by itself. */
  readonly restarts: number;
}

const OPTIONAL_TEXTS = ["control_socket", "decision_socket", "listen"] as const;

/** Reads the text of a marker; takes nothing that is not whole. */
export function parseMarker(text: string): Result<Marker> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return damaged("it is not JSON");
  }
  if (typeof value !== "object" || value === null) return damaged("it is not an object");
  const { component, pid, pid_start, started_at, state, config_file, config_digest, restarts } =
    value as Partial<Record<keyof Marker, unknown>>;
  const knownComponent = COMPONENTS.find((known) => known === component);
  const knownState = MARKER_STATES.find((known) => known === state);
  if (knownComponent === undefined) return damaged('it has no usable "component"');
  if (knownState === undefined) return damaged('it has no usable "state"');
  // Signals to 0 and to negative numbers go to whole groups of processes.
  if (!isCount(pid) || pid === 0) return damaged('it has no usable "pid"');
  if (!isCount(pid_start)) return damaged('it has no usable "pid_start"');
  if (!isCount(restarts)) return damaged('it has no usable "restarts"');
  if (typeof started_at !== "string" || Number.isNaN(Date.parse(started_at))) {
    return damaged('it has no usable "started_at"');
  }
  if (typeof config_file !== "string" || !config_file.startsWith("/")) {
    return damaged('it has no usable "config_file"');
  }
  if (typeof config_digest !== "string") return damaged('it has no usable "config_digest"');
  const texts = OPTIONAL_TEXTS.flatMap((name) => {
    const text = (value as Record<string, unknown>)[name];
    return typeof text === "string" ? [[name, text] as const] : [];
  });
  return ok({
    component: knownComponent,
    pid,
    pid_start,
    started_at,
    state: knownState,
    config_file,
    config_digest,
    restarts,
    ...Object.fromEntries(texts),
  });
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && value as number >= 0;
}

function damaged(state: string): Result<never> {
  return err({
    code: "MARKER_DAMAGED",
    message: `Cannot use the marker of a daemon: ${state}`,
    cure: "firma sidecar start writes a new one",
  });
}
