import { openDirectory, openFile, openRoot } from "./directory.ts";
import { AT_FDCWD, libc, withDescriptor } from "./libc.ts";

/** Opens a file by its path; its last component is no link. */
export function openRegular(path: string): number {
  return openFile(AT_FDCWD, path);
}

/**
 * Opens the directory at `path` below an open one, component by component, none of which may be a
 * link. The path `""` is the directory itself.
 *
 * @throws {SystemCallError}
 */
export function openBelow(root: number, path: string): number {
  let directory = openDirectory(root, ".");
  for (const component of path === "" ? [] : path.split("/")) {
    directory = withDescriptor(directory, (parent) => openDirectory(parent, component));
  }
  return directory;
}

/** Does something with a workspace, open. */
export function withRoot<T>(workspace: string, use: (root: number) => T): T {
  return withDescriptor(openRoot(workspace), use);
}

/** Lets go of a descriptor. */
export function close(descriptor: number): void {
  libc().close(descriptor);
}
