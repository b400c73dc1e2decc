import { credentialFiles } from "./credential_files.ts";
import { type FileRule, shapeByPolicy, type ShapedPath, shapedWithin } from "./file_rule.ts";
import { homePaths } from "./home_paths.ts";
import { hostSockets } from "./host_sockets.ts";
import type { Mount } from "./mounts.ts";
import { entryAt, exists, isWithin, realPath } from "./paths.ts";
import { type InitProgram, initProgram } from "./program.ts";
import type { Place } from "./request.ts";
import { systemMounts } from "./system_mounts.ts";
import { findToolchains } from "./toolchains.ts";

/** What of the host a sandbox shows, and how. */
export interface Layout {
  readonly system: readonly Mount[];
  readonly toolchains: readonly Mount[];
  /** PATH in the sandbox. */
  readonly path: string;
  /** The agent's own settings, writable. */
  readonly settings: readonly string[];
  /** What else of the home is shown, read-only. */
  readonly readable: readonly string[];
  /** What the profile names and would open too much; a line each, not escaped. */
  readonly refused: readonly string[];
  /** Files that read as nothing, and why. */
  readonly covered: ReadonlyMap<string, string>;
  /** Those among them that are sockets of the host's programs, and may go away at any time. */
  readonly sockets: readonly string[];
  readonly init: InitProgram;
  /** Of firma itself, in the workspace. */
  readonly programs: readonly string[];
  readonly cwdAccess: "writable" | "read-only" | "hidden";
  /** What policies took from all of this. */
  readonly shaped: readonly ShapedPath[];
  /** Of that, what lies in something else that is shown: read-only, and directories to hide. */
  readonly frozen: readonly string[];
  readonly emptied: readonly string[];
}

/** What a layout is found from. */
export interface LayoutOptions {
  readonly place: Place;
  /** The program that is to run. */
  readonly program: string;
  readonly uid: number;
  readonly hostEnv: Readonly<Record<string, string>>;
  /** Files that must read as nothing, wherever they lie. */
  readonly hiddenFiles: readonly string[];
  /** What policies say of files. @default {undefined} nothing */
  readonly fileRule?: FileRule | undefined;
}

/** Finds what of the host a sandbox shows; changes nothing. */
export function findLayout(options: LayoutOptions): Layout {
  const { place, program, uid, hostEnv, hiddenFiles } = options;
  const { profile, cwd, home, homes, sealed, sealedFiles } = place;
  const system = systemMounts(uid);
  const wanted = homePaths({ profile, home, homes, cwd, hostEnv });
  const { refused } = wanted;
  const found = findToolchains({
    env: hostEnv,
    homes,
    shown: [...system.map((mount) => mount.target), cwd, ...wanted.settings, ...wanted.readable],
    program,
  });
  const candidates = { ...wanted, cwd, toolchains: found.mounts };
  const { settings, readable, toolchains, cwdAccess, shaped } = shapeByPolicy(
    candidates,
    options.fileRule,
  );
  const tools = toolchains.map((mount) => mount.target);
  const shown = [...system.map((mount) => mount.target), ...tools, cwd, ...settings, ...readable];
  const within = shapedWithin(shaped, shown);
  const isDirectory = (path: string) => entryAt(realPath(path))?.isDirectory === true;
  const hidden = within.filter(({ access }) => access === "hidden");
  const init = initProgram();
  const tokens = credentialFiles(tools).filter((path) => !isWithin(path, cwd));
  const sockets = hostSockets(shown);
  const covered = new Map([
    ...tokens.map((path) => [path, "may hold tokens"] as const),
    ...sealedFiles.map((path) => [path, "a file of firma's, mounted here as well"] as const),
    ...hidden.filter(({ path }) => !isDirectory(path))
      .map(({ path, why }) => [realPath(path), why] as const),
    ...hiddenFiles.filter(exists).map((path) => [realPath(path), "holds a secret"] as const),
    ...sockets.map((path) => [path, "a socket of a program of the host"] as const),
  ].filter(([path]) =>
    shown.some((root) => isWithin(path, root)) &&
    // There is nothing left to cover.
    !sealed.some((directory) => isWithin(path, directory))
  ));
  return {
    system,
    toolchains,
    path: found.path,
    settings,
    readable,
    refused,
    covered,
    sockets: sockets.filter((path) => covered.has(path)),
    init,
    programs: init.sources.filter(exists),
    cwdAccess,
    shaped,
    frozen: within.filter(({ access }) => access === "read-only").map(({ path }) => realPath(path)),
    emptied: hidden.map(({ path }) => realPath(path)).filter(isDirectory),
  };
}
