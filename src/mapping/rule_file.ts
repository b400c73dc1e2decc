import { err, type FirmaError, FirmaException, ok, type Result } from "../core/result.ts";
import { parseToml, type TomlDocument } from "../config/toml.ts";
import { type PlacedAlias, readAlias } from "./alias_file.ts";
import { type HostPattern, parseHostPattern } from "./host_pattern.ts";
import { quote } from "./malformed.ts";
import { foldHost, foldPath, type OpenfirmaRule } from "./openfirma_dialect.ts";
import { parsePathPattern, type PathPattern } from "./path_pattern.ts";
import { NO_CONDITION, parseQueryCondition, type QueryCondition } from "./query_condition.ts";
import { formatPlace, type MappingRule, type MatchedRule } from "./rule.ts";
import { didYouMean, RULE_METHODS, RuleReader, unknownKey } from "./rule_reader.ts";
import { readTools } from "./tool_table.ts";

/** A mapping file. */
export interface MappingFile {
  /** Its name in messages and references. */
  readonly file: string;
  readonly text: string;
}

/** Rules of one host that are read when they are needed. */
export interface PutOff {
  readonly host: HostPattern;
  /** @throws {FirmaException} When they are not valid after all. */
  readonly read: () => readonly MappingRule[];
}

/** The rules of one file, and everything that is wrong with it. */
export interface ParsedFile {
  readonly rules: readonly MappingRule[];
  readonly putOff: readonly PutOff[];
  readonly openfirmaRules: readonly OpenfirmaRule[];
  readonly aliases: readonly PlacedAlias[];
  readonly errors: readonly FirmaError[];
}

const FILE_KEYS = ["dialect", "rules", "aliases"];
const DIALECTS = ["firma", "openfirma"];
const OPENFIRMA_KEYS = ["host", "method", "path", "action_class"];
const RULE_KEYS = [
  ...OPENFIRMA_KEYS,
  "query",
  "decoder",
  "tools",
  "finer",
  "websocket",
  "unmapped",
];
interface Placed<T> {
  readonly value: T;
  readonly index: number;
}

type HostReader = (raw: string) => Result<HostPattern>;

/** Reads host patterns, each once: most rules of a file name the same one. */
function hostReader(): HostReader {
  const read = new Map<string, Result<HostPattern>>();
  return (raw) => {
    let pattern = read.get(raw);
    if (!pattern) read.set(raw, pattern = parseHostPattern(raw));
    return pattern;
  };
}

function hostPatterns(reader: RuleReader, readHost: HostReader): HostPattern[] {
  if (!reader.has("host")) reader.fail("host", "there is none");
  return (reader.strings("host") ?? []).flatMap((raw) => {
    const pattern = readHost(raw);
    if (pattern.ok) return [pattern.value];
    reader.fail("host", pattern.error.message);
    return [];
  });
}

function pathPatterns(reader: RuleReader): Placed<PathPattern>[] {
  return (reader.strings("path") ?? ["/**"]).flatMap((raw, index) => {
    const pattern = parsePathPattern(raw);
    if (pattern.ok) return [{ value: pattern.value, index }];
    reader.fail("path", `${quote(raw)} ${pattern.error}`);
    return [];
  });
}

function queryCondition(reader: RuleReader): QueryCondition {
  const raw = reader.string("query");
  if (raw === undefined) return NO_CONDITION;
  const condition = parseQueryCondition(raw);
  if (condition.ok) return condition.value;
  reader.fail("query", condition.error);
  return NO_CONDITION;
}

function readRule(
  reader: RuleReader,
  readHost: HostReader,
  decoders: ReadonlySet<string>,
): MappingRule[] {
  reader.keys(RULE_KEYS);
  const hosts = hostPatterns(reader, readHost);
  const paths = pathPatterns(reader);
  const methods = reader.methods();
  const query = queryCondition(reader);
  const unmapped = reader.flag("unmapped");
  const finer = reader.name("finer");
  const websocket = reader.flag("websocket");
  const decoder = reader.name("decoder");
  // Without its decoder the class of a rule is a guess.
  if (decoder !== undefined && !decoders.has(decoder)) {
    reader.fail("decoder", "there is no such decoder", didYouMean(decoder, decoders));
  }
  const actionClass = unmapped && !reader.has("action_class") ? undefined : reader.actionClass();
  if (unmapped && actionClass) reader.fail("unmapped", "the rule also has an action_class");

  const tools = readTools(reader, decoder, actionClass);

  const text = {
    method: methods ? [...methods].join("|") : "*",
    ...(query.size > 0 && { query: reader.string("query")! }),
  };
  return paths.flatMap(({ value: path, index }) => {
    const place = reader.place("path", index);
    return hosts.map((host): MappingRule => {
      const matched: MatchedRule | undefined = actionClass &&
        {
          actionClass,
          ...(finer !== undefined && { finer }),
          ...(decoder !== undefined && { decoder }),
          ...(tools !== undefined && { tools }),
          ...(websocket && { websocket }),
          get ref() {
            return formatPlace(place);
          },
          host: host.text,
          path: path.text,
          ...text,
        };
      return { host, path, methods, query, matched, place };
    });
  });
}

/** Reads of a rule no more than whom it concerns. */
function putOffRule(
  reader: RuleReader,
  readHost: HostReader,
  decoders: ReadonlySet<string>,
): PutOff[] {
  let rules: readonly MappingRule[] | undefined;
  const read = () => {
    rules ??= readRule(reader, readHost, decoders);
    const [error] = reader.errors;
    if (error) throw new FirmaException(error);
    return rules;
  };
  return hostPatterns(reader, readHost).map((host) => ({
    host,
    read: () => read().filter((rule) => rule.host.text === host.text),
  }));
}

function readOpenfirmaRule(reader: RuleReader): OpenfirmaRule[] {
  reader.keys(OPENFIRMA_KEYS);
  if (!reader.has("host")) reader.fail("host", "there is none");
  const rawHost = reader.string("host");
  const rawPath = reader.string("path");
  const method = reader.string("method");
  if (method !== undefined && !RULE_METHODS.includes(method)) {
    reader.fail("method", `not one of ${RULE_METHODS.join(", ")}`);
  }
  const actionClass = reader.actionClass();
  if (rawHost === undefined || !actionClass) return [];
  const host = foldHost(rawHost);
  if (!/^[a-z0-9._*:[\]-]+$/.test(host) || (host === "*" && rawHost !== "*")) {
    reader.fail("host", "not a host name or a pattern of one");
    return [];
  }
  const path = rawPath === undefined ? undefined : foldPath(rawPath);
  const place = reader.place();
  const matched: MatchedRule = {
    actionClass,
    get ref() {
      return formatPlace(place);
    },
    host,
    path: path ?? "*",
    method: method ?? "*",
  };
  return [{ host, path, method, matched, place }];
}

function tablesOf(
  document: TomlDocument,
  list: "rules" | "aliases",
): Result<Record<string, unknown>[]> {
  const tables = document.root[list] ?? [];
  const isTable = (item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item) && !(item instanceof Date);
  if (Array.isArray(tables) && tables.every(isTable)) return ok(tables);
  return err({
    code: "MAPPING_RULE_INVALID",
    message: `Cannot read ${list}: not a list of tables`,
    cure: `begin each of them with a line [[${list}]]`,
    at: document.locate([list]) ?? { file: document.file },
  });
}

function nothing(errors: readonly FirmaError[]): ParsedFile {
  return { rules: [], putOff: [], openfirmaRules: [], aliases: [], errors };
}

/**
 * Reads a mapping file. `decoders` names the body decoders that there are.
 * Reports every fault it finds, each with its line (`TOML_SYNTAX`,
 * `MAPPING_KEY_UNKNOWN`, `MAPPING_RULE_INVALID`). Of a file that was `checked`
 * most reading is put off.
 */
export function parseRuleFile(
  { file, text }: MappingFile,
  decoders: ReadonlySet<string>,
  checked = false,
): ParsedFile {
  const parsed = parseToml(text, file);
  if (!parsed.ok) return nothing([parsed.error]);
  const document = parsed.value;
  const errors: FirmaError[] = [];
  for (const key of Object.keys(document.root)) {
    if (!FILE_KEYS.includes(key)) errors.push(unknownKey(document, [key], FILE_KEYS));
  }
  const dialect = document.root.dialect ?? "firma";
  if (typeof dialect !== "string" || !DIALECTS.includes(dialect)) {
    errors.push({
      code: "MAPPING_RULE_INVALID",
      message: `Cannot use dialect ${quote(String(dialect))}: it is not known`,
      cure: `choose one of: ${DIALECTS.join(", ")}`,
      at: document.locate(["dialect"]) ?? { file },
    });
  }
  const tables = tablesOf(document, "rules");
  if (!tables.ok) return nothing([...errors, tables.error]);
  const aliasTables = tablesOf(document, "aliases");
  if (!aliasTables.ok) return nothing([...errors, aliasTables.error]);
  const readHost = hostReader();
  const rules: MappingRule[] = [];
  const putOff: PutOff[] = [];
  const openfirmaRules: OpenfirmaRule[] = [];
  for (const [index, table] of tables.value.entries()) {
    const reader = new RuleReader(document, index, table);
    if (dialect === "openfirma") openfirmaRules.push(...readOpenfirmaRule(reader));
    else if (checked) putOff.push(...putOffRule(reader, readHost, decoders));
    else rules.push(...readRule(reader, readHost, decoders));
    errors.push(...reader.errors);
  }
  const aliases = aliasTables.value.flatMap((table, index) => {
    const reader = new RuleReader(document, index, table, "aliases");
    const read = readAlias(reader);
    errors.push(...reader.errors);
    return read;
  });
  if (dialect === "openfirma" && aliases.length > 0) {
    const at = document.locate(["aliases"]) ?? { file };
    const message = 'Cannot use aliases: the dialect "openfirma" has none';
    errors.push({ code: "MAPPING_RULE_INVALID", message, at });
  }
  return { rules, putOff, openfirmaRules, aliases, errors };
}
