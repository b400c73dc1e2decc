import { type Alias, parseAliasPath } from "./alias.ts";
import { type HostPattern, parseHostPattern } from "./host_pattern.ts";
import type { RuleReader } from "./rule_reader.ts";

/** An alias and the hosts that know it. */
export interface PlacedAlias {
  readonly host: HostPattern;
  readonly alias: Alias;
}

const KEYS = ["host", "path", "stands_for"];

/**
 * Reads an `[[aliases]]` table: `path` has one or more `{number}` in the place of
 * segments, `stands_for` has `*` for the names that these hide.
 */
export function readAlias(reader: RuleReader): PlacedAlias[] {
  reader.keys(KEYS);
  for (const key of KEYS) if (!reader.has(key)) reader.fail(key, "there is none");
  const hosts = (reader.strings("host") ?? []).flatMap((raw) => {
    const host = parseHostPattern(raw);
    if (host.ok) return [host.value];
    reader.fail("host", host.error.message);
    return [];
  });
  const path = segments(reader, "path", "{number}");
  const standsFor = segments(reader, "stands_for", "*");
  if (!path || !standsFor) return [];
  const alias = { text: reader.string("path")!, path, standsFor, place: reader.place("path") };
  return hosts.map((host) => ({ host, alias }));
}

function segments(reader: RuleReader, key: string, hole: string): Alias["path"] | undefined {
  const raw = reader.string(key);
  if (raw === undefined) return undefined;
  const parsed = parseAliasPath(raw, hole);
  return parsed.ok ? parsed.value : reader.fail(key, parsed.error);
}
