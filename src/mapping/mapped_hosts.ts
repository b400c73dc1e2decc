import { parseToml } from "../config/toml.ts";
import { parseHostPattern } from "./host_pattern.ts";
import { foldHost, permittedHost } from "./openfirma_dialect.ts";
import type { MappingFile } from "./rule_file.ts";

/**
 * The `hosts` of the table that valid files make, for a fraction of what making
 * it costs. Of files that are not valid it says no more than what it can read.
 */
export function mappedHosts(files: readonly MappingFile[]): string[] {
  const hosts = new Set<string>();
  for (const { file, text } of files) {
    const document = parseToml(text, file);
    if (!document.ok || !Array.isArray(document.value.root.rules)) continue;
    const { dialect, rules } = document.value.root;
    for (const raw of new Set(rules.flatMap((rule) => rule?.host ?? []))) {
      if (typeof raw !== "string") continue;
      if (dialect === "openfirma") hosts.add(permittedHost(foldHost(raw)));
      else {
        const pattern = parseHostPattern(raw);
        if (pattern.ok) hosts.add(pattern.value.text);
      }
    }
  }
  return [...hosts].sort();
}
