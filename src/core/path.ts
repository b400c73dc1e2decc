/**
 * Paths as POSIX writes them. What `node:path` says of them, without what it loads: no start
 * needs anything else of Node as early, and that takes longer than finding the configuration.
 */

/** The path without empty and `.` segments, `..` taken back where there is something to take. */
function normalise(path: string): string {
  const isRooted = isAbsolute(path);
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (segment !== "..") kept.push(segment);
    else if (kept.length > 0 && kept.at(-1) !== "..") kept.pop();
    else if (!isRooted) kept.push("..");
  }
  return (isRooted ? "/" : "") + kept.join("/");
}

export function isAbsolute(path: string): boolean {
  return path.startsWith("/");
}

/** The parts joined by slashes and normalised; a slash at the end stays. */
export function join(...parts: readonly string[]): string {
  const joined = parts.filter((part) => part !== "").join("/");
  const path = normalise(joined) || ".";
  return joined.endsWith("/") && !path.endsWith("/") ? `${path}/` : path;
}

/** The absolute path that the last of `parts` names, read from the ones before it. */
export function resolve(...parts: readonly string[]): string {
  let path = "";
  for (const part of parts.toReversed()) {
    if (part === "") continue;
    path = path === "" ? part : `${part}/${path}`;
    if (isAbsolute(part)) return normalise(path);
  }
  return normalise(`${Deno.cwd()}/${path}`);
}

/** How to get from one path to another. */
export function relative(from: string, to: string): string {
  const segments = (path: string) => resolve(path).split("/").filter((segment) => segment !== "");
  const [start, end] = [segments(from), segments(to)];
  let shared = 0;
  while (shared < start.length && start[shared] === end[shared]) shared++;
  return [...start.slice(shared).map(() => ".."), ...end.slice(shared)].join("/");
}

/** Everything before the last segment. */
export function dirname(path: string): string {
  const trimmed = path.replace(/\/+$/, "");
  const slash = trimmed.lastIndexOf("/");
  if (slash <= 0) return isAbsolute(path) ? "/" : ".";
  return trimmed.slice(0, slash);
}

/** The last segment. */
export function basename(path: string): string {
  const trimmed = path.replace(/\/+$/, "");
  return trimmed.slice(trimmed.lastIndexOf("/") + 1);
}
