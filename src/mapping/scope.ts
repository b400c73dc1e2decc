import { type HostPattern, matchesHost, parseHostPattern } from "./host_pattern.ts";
import {
  allowsEncodedSlashes,
  matchesPath,
  matchSegments,
  parsePathPattern,
  type PathPattern,
} from "./path_pattern.ts";

interface Scope {
  readonly host: HostPattern;
  readonly path: PathPattern | undefined;
}

const EVERYTHING = "**";
const CACHED = 1024;
const cache = new Map<string, Scope | undefined>();

function parseScope(pattern: string): Scope | undefined {
  const slash = pattern.indexOf("/");
  const host = parseHostPattern(slash < 0 ? pattern : pattern.slice(0, slash));
  if (!host.ok) return undefined;
  if (slash < 0) return { host: host.value, path: undefined };
  const path = parsePathPattern(pattern.slice(slash));
  return path.ok ? { host: host.value, path: path.value } : undefined;
}

function cachedScope(pattern: string): Scope | undefined {
  if (cache.has(pattern)) return cache.get(pattern);
  if (cache.size >= CACHED) cache.clear();
  const scope = parseScope(pattern);
  cache.set(pattern, scope);
  return scope;
}

/** Tells whether `pattern` is one that {@linkcode matchScope} understands. */
export function isScope(pattern: string): boolean {
  return pattern === EVERYTHING || parseScope(pattern) !== undefined;
}

/**
 * Tells whether a pattern of a capability's scope covers a resource.
 *
 * A pattern is `**` (everything), a host pattern as in mapping rules
 * (`api.example.com`, `*.example.com`, with a port unless it is the default),
 * which covers every path of it, or a host pattern followed by a path pattern
 * (`api.example.com/repos/acme/**`). A `%2F` in the path is covered by `**`, by
 * `{*}`, by a host alone and by the pattern's own `%2F`, not by `*`. A pattern that
 * makes no sense covers nothing.
 *
 * `host` is canonical, with `:port` unless it is the default of the scheme;
 * `path` is canonical.
 */
export function matchScope(pattern: string, host: string, path: string): boolean {
  if (pattern === EVERYTHING) return true;
  const scope = cachedScope(pattern);
  if (!scope || !matchesHost(scope.host, host)) return false;
  if (!scope.path) return true;
  const segments = matchSegments(path);
  return matchesPath(scope.path, segments) &&
    (!path.includes("%2F") || allowsEncodedSlashes(scope.path, segments, true));
}
