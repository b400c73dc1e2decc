import { entryAt, isWithin } from "./paths.ts";

/**
 * Unix sockets of host processes below the given directories. A mount does not stop a program
 * from connecting to one, not even a read-only mount, so each must be covered.
 */
export function hostSockets(directories: readonly string[]): string[] {
  const bound = boundPaths(readTable())
    .filter((path) => directories.some((directory) => isWithin(path, directory)));
  return [...new Set(bound)].filter((path) => entryAt(path)?.isSocket);
}

/** The paths of `/proc/net/unix`; sockets without one, and abstract ones, are left out. */
export function boundPaths(table: string): string[] {
  return table.split("\n").slice(1).flatMap((line) => {
    // Seven columns without spaces, then the path, which may contain some.
    const path = /^(?:\S+\s+){7}(\/.*)$/.exec(line)?.[1];
    return path === undefined ? [] : [path];
  });
}

function readTable(): string {
  try {
    return Deno.readTextFileSync("/proc/net/unix");
  } catch {
    return ""; // a kernel without unix sockets
  }
}
