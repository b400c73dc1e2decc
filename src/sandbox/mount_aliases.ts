import { isWithin } from "./paths.ts";

/** A mount of this process, as `/proc/self/mountinfo` tells it (proc(5)). */
export interface MountInfo {
  readonly device: string;
  /** What of the file system is mounted. */
  readonly root: string;
  readonly point: string;
}

/** Reads the text of `/proc/self/mountinfo`; lines that are none are left out. */
export function parseMountInfo(text: string): MountInfo[] {
  return text.split("\n").flatMap((line) => {
    const [, , device, root, point] = line.split(" ");
    if (device === undefined || root === undefined || point === undefined) return [];
    return [{ device, root: unescaped(root), point: unescaped(point) }];
  });
}

/** Blanks, tabs, line feeds and backslashes are told by their octal numbers. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)));
}

/**
 * The other places at which what lies at `path` is mounted as well, or a part of it: hidden there
 * alone, it could be read and written here. `path` has no symbolic links in it.
 */
export function aliasesOf(path: string, mounts: readonly MountInfo[]): string[] {
  // Later mounts cover earlier ones at the same place.
  const home = mounts.toReversed().filter(({ point }) => isWithin(path, point))
    .reduce<MountInfo | undefined>(
      (best, mount) => best === undefined || mount.point.length > best.point.length ? mount : best,
      undefined,
    );
  if (home === undefined) return [];
  const inside = below(home.root, rest(path, home.point));
  return mounts.flatMap((mount) => {
    if (mount === home || mount.device !== home.device) return [];
    const alias = isWithin(inside, mount.root)
      ? below(mount.point, rest(inside, mount.root))
      : isWithin(mount.root, inside)
      ? mount.point
      : path;
    return alias === path ? [] : [alias];
  });
}

function rest(path: string, directory: string): string {
  return directory === "/" ? path.slice(1) : path.slice(directory.length + 1);
}

function below(directory: string, path: string): string {
  if (path === "") return directory;
  return directory === "/" ? `/${path}` : `${directory}/${path}`;
}
