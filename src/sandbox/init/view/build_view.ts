import { dirname } from "../../../core/path.ts";
import { HOST_VIEW, NEW_VIEW } from "../../handoff.ts";
import type { Mount } from "../../mounts.ts";
import { SystemCallError } from "../libc.ts";
import {
  attach,
  copyTree,
  enter,
  makeDirectory,
  makeFile,
  makeLink,
  mountMemory,
  NO_PRIVILEGES,
  openRoot,
  openStraight,
  openWithin,
  type Place,
  READ_ONLY,
  restrict,
  withoutMask,
} from "./mount_calls.ts";

const ENOENT = 2;

/**
 * Builds the file system that the mounts describe, as bwrap would, and exchanges this process's own
 * for it. Sources are looked up on the host, links not followed; of what was in sight before,
 * nothing is left but open files.
 *
 * @throws {SystemCallError} when something cannot be mounted; then nothing is exchanged.
 */
export function buildView(mounts: readonly Mount[]): void {
  withoutMask(() => {
    using host = openRoot(HOST_VIEW);
    {
      using here = openRoot("/");
      makeDirectory(here, NEW_VIEW.slice(1), 0o755);
    }
    {
      using mountPoint = openRoot(NEW_VIEW);
      mountMemory(mountPoint, "0755");
    }
    using root = openRoot(NEW_VIEW);
    for (const mount of mounts) {
      try {
        apply(mount, root, host);
      } catch (cause) {
        if (!(cause instanceof SystemCallError)) throw cause;
        throw new SystemCallError(`show "${mount.target}": ${cause.call}`, cause.errno);
      }
    }
    enter(NEW_VIEW);
  });
}

function apply(mount: Mount, root: Place, host: Place): void {
  const { kind, target } = mount;
  switch (kind) {
    case "bind": {
      using source = openStraight(host, mount.source);
      using tree = copyTree(source);
      restrict(tree, mount.writable ? NO_PRIVILEGES : READ_ONLY, { recursive: true });
      using over = placeFor(root, target, () => isDirectory(source));
      return attach(tree, over);
    }
    case "memory": {
      using over = directoryAt(root, target);
      return mountMemory(over, mount.mode ?? "0755");
    }
    case "sealed": {
      {
        using over = directoryAt(root, target);
        mountMemory(over, "0555");
      }
      return freeze(root, target);
    }
    case "directory":
      return directoryAt(root, target)[Symbol.dispose]();
    case "symlink": {
      using parent = directoryAt(root, dirname(target));
      return makeLink(parent, nameOf(target), mount.pointsTo);
    }
    // Both are there already, as bwrap made them.
    case "devices":
    case "processes": {
      using source = openRoot(target);
      using tree = copyTree(source);
      using over = directoryAt(root, target);
      return attach(tree, over);
    }
    case "freeze":
      return freeze(root, target);
  }
}

function freeze(root: Place, target: string): void {
  using mounted = openWithin(root, target);
  restrict(mounted, READ_ONLY, { recursive: false });
}

function directoryAt(root: Place, path: string): Place {
  return placeFor(root, path, () => true);
}

/** What lies at `path`, which is made where it is not there: an empty file or directory. */
function placeFor(root: Place, path: string, mayBeDirectory: () => boolean): Place {
  try {
    return openWithin(root, path);
  } catch (cause) {
    if (!(cause instanceof SystemCallError) || cause.errno !== ENOENT) throw cause;
  }
  using parent = directoryAt(root, dirname(path));
  if (mayBeDirectory()) makeDirectory(parent, nameOf(path), 0o755);
  else makeFile(parent, nameOf(path), 0o444);
  return openStraight(parent, nameOf(path));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function isDirectory({ descriptor }: Place): boolean {
  return Deno.statSync(`/proc/self/fd/${descriptor}`).isDirectory;
}
