/**
 * Whether a canonical path is what a pattern names: `**` stands for any number of segments, `*` for
 * anything within one.
 */
export function pathMatches(pattern: string, path: string): boolean {
  return matches(pattern.split("/"), path.split("/"));
}

function matches(pattern: readonly string[], segments: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return segments.length === 0;
  if (first === "**") {
    for (let count = 0; count <= segments.length; count++) {
      if (matches(rest, segments.slice(count))) return true;
    }
    return false;
  }
  const [segment, ...others] = segments;
  return segment !== undefined && segmentMatches(first, segment) && matches(rest, others);
}

function segmentMatches(pattern: string, segment: string): boolean {
  const [head = "", ...parts] = pattern.split("*");
  if (parts.length === 0) return pattern === segment;
  const tail = parts.pop()!;
  if (segment.length < head.length + tail.length || segment === "") return false;
  if (!segment.startsWith(head) || !segment.endsWith(tail)) return false;
  let from = head.length;
  for (const part of parts) {
    const at = segment.indexOf(part, from);
    if (at < 0 || at + part.length > segment.length - tail.length) return false;
    from = at + part.length;
  }
  return true;
}
