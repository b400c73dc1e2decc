import { PRIVATE_DIR, PUBLIC_DIR } from "./handoff.ts";
import { type Mount, readOnly, writable } from "./mounts.ts";
import { isWithin } from "./paths.ts";
import type { ReplacedFile } from "./run_files.ts";

/** What the file system of a sandbox is made from. All paths are real paths of the host. */
export interface MountPlanOptions {
  readonly system: readonly Mount[];
  /** Home in the sandbox: empty, and gone afterwards. */
  readonly home: string;
  /** Programs outside the system, read-only. */
  readonly toolchains: readonly Mount[];
  /** The agent's own settings, writable. */
  readonly settings: readonly string[];
  /** The working directory, writable. */
  readonly cwd: string;
  /** What the host runs from the working directory, read-only. */
  readonly programs: readonly string[];
  /** Must read as empty wherever something above shows them. */
  readonly sealed: readonly string[];
  /** Sockets of host processes that would be shown otherwise. */
  readonly sockets: readonly string[];
  /** Single files that say something else than the host's. */
  readonly replaced: readonly ReplacedFile[];
  readonly publicDir: string;
  /** firma's own program and sockets; only the outer layer has them. */
  readonly privateMounts: readonly Mount[];
}

/** The file system of the outer layer, in order; the inner layer takes it over whole. */
export function mountPlan(options: MountPlanOptions): Mount[] {
  const { home, cwd, settings, toolchains } = options;
  const shown = [cwd, ...settings, ...toolchains.map((mount) => mount.target)];
  const isShown = (path: string) => shown.some((root) => isWithin(path, root));
  return [
    ...options.system,
    { kind: "memory", target: "/tmp", mode: "1777" },
    { kind: "memory", target: "/run" },
    { kind: "memory", target: "/var", mode: "0755" },
    { kind: "symlink", target: "/var/run", pointsTo: "/run" },
    { kind: "memory", target: "/var/tmp", mode: "1777" },
    { kind: "freeze", target: "/var" },
    { kind: "devices", target: "/dev" },
    { kind: "processes", target: "/proc" },
    { kind: "memory", target: home, mode: "0700" },
    ...toolchains,
    ...settings.map(writable),
    writable(cwd),
    ...options.programs.filter((path) => isWithin(path, cwd)).map(readOnly),
    ...options.sealed.filter(isShown).map((target): Mount => ({ kind: "sealed", target })),
    ...options.sockets.map((target): Mount => ({ kind: "bind", source: "/dev/null", target })),
    ...options.replaced.map((file): Mount => ({ kind: "bind", ...file })),
    { kind: "bind", source: options.publicDir, target: PUBLIC_DIR },
    { kind: "memory", target: PRIVATE_DIR, mode: "0700" },
    ...options.privateMounts,
    { kind: "freeze", target: "/" },
  ];
}
