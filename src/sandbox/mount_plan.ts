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
  /** What else of the home is shown, read-only. */
  readonly readable: readonly string[];
  /** The working directory. */
  readonly cwd: string;
  /** @default writable */
  readonly cwdAccess?: "writable" | "read-only" | "hidden";
  /** What of all this is read-only after all. @default [] */
  readonly frozen?: readonly string[];
  /** What the host runs from the working directory, read-only. */
  readonly programs: readonly string[];
  /** The same of what other programs run, each with what it reads as. */
  readonly locked: readonly ReplacedFile[];
  /** Must read as empty wherever something above shows them. */
  readonly sealed: readonly string[];
  /** Files that would be shown otherwise and must read as nothing, such as sockets of the host. */
  readonly covered: readonly string[];
  /** The same of what `__init` covers itself. @default [] */
  readonly sockets?: readonly string[];
  /** Files of the agent's settings over which a copy lies that it may write. */
  readonly overlaid?: readonly ReplacedFile[];
  /** Single files that say something else than the host's. */
  readonly replaced: readonly ReplacedFile[];
  readonly publicDir: string;
  /** firma's own program and sockets; only the outer layer has them. */
  readonly privateMounts: readonly Mount[];
}

/** The file system of the outer layer, in order; the inner layer takes it over whole. */
export function mountPlan(options: MountPlanOptions): Mount[] {
  const { home, cwd, settings, toolchains, covered } = options;
  const { readable, overlaid = [], frozen = [], sockets = [] } = options;
  const workspace = options.cwdAccess === "read-only" ? readOnly : writable;
  const shown = [cwd, ...settings, ...readable, ...toolchains.map((mount) => mount.target)];
  const sealed = outermost(
    options.sealed.filter((path) => shown.some((root) => isWithin(path, root))),
  );
  const programs = options.programs.filter((path) => isWithin(path, cwd));
  const locked = options.locked.map((file) => file.target);
  const held = [
    ...[...sealed, ...programs, ...locked, ...covered, ...sockets, ...frozen],
    ...overlaid.map(({ target }) => target),
  ];
  return [
    { kind: "memory", target: "/tmp", mode: "1777" },
    { kind: "memory", target: "/run" },
    { kind: "memory", target: "/var" },
    { kind: "symlink", target: "/var/run", pointsTo: "/run" },
    { kind: "memory", target: "/var/tmp", mode: "1777" },
    ...options.system,
    { kind: "freeze", target: "/var" },
    { kind: "devices", target: "/dev" },
    { kind: "processes", target: "/proc" },
    { kind: "memory", target: home, mode: "0700" },
    ...toolchains,
    ...readable.map(readOnly),
    ...settings.map(writable),
    workspace(cwd),
    ...directoriesBetween(cwd, held).map(workspace),
    ...settings.flatMap((root) => directoriesBetween(root, held)).map(writable),
    ...frozen.map(readOnly),
    ...options.locked.map((file): Mount => ({ kind: "bind", ...file })),
    ...programs.map(readOnly),
    ...sealed.map((target): Mount => ({ kind: "sealed", target })),
    ...covered.map((target): Mount => ({ kind: "bind", source: "/dev/null", target })),
    ...overlaid.map((file): Mount => ({ kind: "bind", ...file, writable: true })),
    ...options.replaced.map((file): Mount => ({ kind: "bind", ...file })),
    { kind: "bind", source: options.publicDir, target: PUBLIC_DIR },
    { kind: "memory", target: PRIVATE_DIR, mode: "0700" },
    ...options.privateMounts,
    { kind: "freeze", target: "/" },
  ];
}

/**
 * The paths that lie in no other of them. What lies in a sealed directory is not there any more, and
 * no mount point can be made for it: the run's own directory, where the state lies in the workspace.
 */
function outermost(paths: readonly string[]): string[] {
  return paths.filter((path) => !paths.some((other) => other !== path && isWithin(path, other)));
}

/**
 * The directories on the way from `root` down to each path, outer ones first. A mount point cannot
 * be renamed, but a directory above one can, and then another takes its place on the host; so each
 * of these becomes a mount point too.
 */
function directoriesBetween(root: string, paths: readonly string[]): string[] {
  const between = new Set<string>();
  for (const path of paths) {
    if (!isWithin(path, root) || path === root) continue;
    const names = path.slice(root.length + 1).split("/").slice(0, -1);
    names.reduce((above, name) => {
      between.add(`${above}/${name}`);
      return `${above}/${name}`;
    }, root);
  }
  return [...between].sort((a, b) => a.length - b.length);
}
