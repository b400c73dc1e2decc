import type { ActionClass } from "../core/action_class.ts";
import type { FirmaError } from "../core/result.ts";
import { err, ok, type Result } from "../core/result.ts";
import { DECODERS } from "./decoders/decoders.ts";
import { type MappingFile, parseRuleFile } from "./rule_file.ts";

/** One thing that a service can be asked to do. */
export interface MappedOperation {
  /** A method, or `*` for any. */
  readonly method: string;
  readonly path: string;
  readonly query?: string;
  readonly hosts: readonly string[];
  readonly actionClass: ActionClass;
  readonly finer?: string;
  readonly decoder?: string;
}

/** What a mapping file covers. */
export interface MappingSummary {
  /** The comment that the file opens with, without its marks. */
  readonly about: string;
  readonly hosts: readonly string[];
  /** In the order of the file. The same operation on several hosts counts once. */
  readonly operations: readonly MappedOperation[];
}

/** Lists what a mapping file covers. */
export function summariseMapping(file: MappingFile): Result<MappingSummary, FirmaError[]> {
  const { rules, openfirmaRules, errors } = parseRuleFile(file, new Set(DECODERS.keys()));
  if (errors.length > 0) return err([...errors]);
  const matched = [
    ...rules.flatMap(({ matched }) => matched ?? []),
    ...openfirmaRules.map((rule) => rule.matched),
  ];
  const operations = new Map<string, MappedOperation & { hosts: string[] }>();
  for (const { method: methods, path, query, host, actionClass, finer, decoder } of matched) {
    for (const method of methods.split("|")) {
      const key = JSON.stringify([method, path, query, actionClass, finer, decoder]);
      const known = operations.get(key);
      if (known !== undefined) {
        known.hosts.push(host);
        continue;
      }
      operations.set(key, {
        method,
        path,
        ...(query !== undefined && { query }),
        hosts: [host],
        actionClass,
        ...(finer !== undefined && { finer }),
        ...(decoder !== undefined && { decoder }),
      });
    }
  }
  const hosts = new Set(matched.map(({ host }) => host));
  return ok({
    about: aboutOf(file.text, "#"),
    hosts: [...hosts].sort(),
    operations: [...operations.values()],
  });
}

/** The comment that a file opens with, up to its first empty line, without the comment marks. */
export function aboutOf(text: string, mark: string): string {
  const lines: string[] = [];
  for (const line of text.split("\n")) {
    if (!line.startsWith(mark)) break;
    lines.push(line.slice(mark.length).replace(/^ /, ""));
  }
  return lines.join("\n").trim();
}
