/**
 * Writes the parts of the mapping packs github, gmail and stripe that follow from
 * tables of published operations, and the test data to check them with.
 *
 *   deno run -A scripts/packs_from_tables.ts <directory with github.csv, gmail.csv, stripe.csv>
 *
 * A table has a line for each operation, with the columns method, path, host, class
 * and finer_class. Everything above the marker line of a pack is written by hand
 * and stays.
 */

import { registeredClass } from "./registered_class.ts";

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  /** What the table says. */
  readonly parentClass: string;
  /** The finest registered class. */
  readonly actionClass: string;
}

interface Service {
  /** The name of the pack. */
  readonly name: string;
  /** The name of the table, where it is another one. */
  readonly table?: string;
  /** Hosts that serve what the table says of `host`; `undefined`: left out. */
  hosts(operation: Operation): readonly string[] | undefined;
  /** The decoder that reads what the call says beyond method and path, if there is one. */
  decoder(operation: Operation): string | undefined;
}

const GMAIL_HOSTS = [
  "gmail.googleapis.com",
  "gmail.mtls.googleapis.com",
  "content-gmail.googleapis.com",
  "www.googleapis.com",
  "www.mtls.googleapis.com",
  "content.googleapis.com",
];

/** Where the body says what a call to GitHub does. */
const GITHUB_BODIES: readonly RegExp[] = [
  /^PATCH \/repos\/\{owner\}\/\{repo\}$/,
  /^(?:POST|PATCH|DELETE) \/repos\/\{owner\}\/\{repo\}\/git\/refs(?:\/|$)/,
  /^(?:PUT|DELETE) \/repos\/\{owner\}\/\{repo\}\/contents\//,
  /^POST \/repos\/\{owner\}\/\{repo\}\/(?:git\/trees|merge-upstream|merges|generate|branches\/\{branch\}\/rename)$/,
  /^POST \/repos\/\{(?:owner|template_owner)\}\/\{(?:repo|template_repo)\}\/generate$/,
  /^POST \/repos\/\{owner\}\/\{repo\}\/pulls\/\{pull_number\}\/reviews(?:$|.*\/events$)/,
  /^PATCH \/repos\/\{owner\}\/\{repo\}\/security-advisories\//,
  /^(?:POST|PATCH) \/repos\/\{owner\}\/\{repo\}\/releases(?:\/\{release_id\})?$/,
  /^POST (?:\/user\/repos|\/orgs\/\{org\}\/repos|\/gists)$/,
];

const GMAIL_BODIES =
  /\/(?:modify|batchModify|messages(?:\/send|\/import)?|drafts(?:\/send|\/\{id\})?|settings\/filters)$/;

/** Stands for the host that each customer has for themselves. */
const ENTERPRISE_SERVER = "github.example.invalid";

/** The table gives the management console a host of github.com, which serves none. */
function isEnterpriseServer(host: string, path: string): boolean {
  return host.includes("{") || path.startsWith("/manage/");
}

function githubDecoder({ method, path }: Operation): string {
  const isBody = GITHUB_BODIES.some((pattern) => pattern.test(`${method} ${path}`));
  return isBody ? "github-rest" : "github-repository";
}

const SERVICES: readonly Service[] = [
  {
    name: "github",
    hosts: ({ host, path }) => isEnterpriseServer(host, path) ? undefined : [host],
    decoder: githubDecoder,
  },
  {
    name: "github-enterprise",
    table: "github",
    hosts: ({ host, path }) => isEnterpriseServer(host, path) ? [ENTERPRISE_SERVER] : undefined,
    decoder: githubDecoder,
  },
  {
    name: "gmail",
    hosts: () => GMAIL_HOSTS,
    decoder: ({ method, path }) =>
      method !== "GET" && method !== "DELETE" && GMAIL_BODIES.test(path) ? "gmail" : undefined,
  },
  {
    name: "stripe",
    hosts: ({ host }) => [host],
    decoder: ({ host }) => host === "api.stripe.com" ? "stripe" : undefined,
  },
];

/** Parameters of GitHub that may have slashes in them (`x-multi-segment`). */
const SEVERAL_SEGMENTS =
  /^\{(?:ref|branch|basehead|tag|sha|commit_sha|tree_sha|subject_digest)\}$|^\{base\}\.\.\.\{head\}$/;
/** The same, and they may be empty: the root of a repository. */
const MAYBE_EMPTY = /^\{(?:path|dir)\}$/;
/** Parameters of one segment whose values may have an encoded slash. */
const NAMES_WITH_SLASH = /^\{(?:name|environment_name|package_name)\}$/;

/** RFC 4180, as far as the tables need it. */
function parseCsv(text: string): Record<string, string>[] {
  const rows: string[][] = [[]];
  for (const match of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    if (match[0] === "") break;
    rows.at(-1)!.push(match[1]?.replaceAll('""', '"') ?? match[2]!);
    if (match[3] !== ",") rows.push([]);
  }
  const [names, ...lines] = rows.filter((row) => row.length > 1) as [string[], ...string[][]];
  return lines.map((line) => Object.fromEntries(names.map((name, i) => [name, line[i] ?? ""])));
}

function pattern(path: string): string {
  const segments = path.split("/").map((segment) => {
    if (MAYBE_EMPTY.test(segment)) return "{**}";
    if (SEVERAL_SEGMENTS.test(segment)) return "{*}/{**}";
    if (NAMES_WITH_SLASH.test(segment)) return "{*}";
    return segment.replace(/\{[^}]+\}/g, "*");
  });
  return segments.join("/");
}

interface Rule {
  readonly hosts: readonly string[];
  readonly method: string;
  readonly actionClass: string;
  readonly decoder: string | undefined;
  readonly paths: Set<string>;
}

type Placed = Operation & {
  readonly hosts: readonly string[];
  readonly decoder: string | undefined;
};

function groupRules(operations: readonly Placed[]): Rule[] {
  const rules = new Map<string, Rule>();
  const classes = new Map<string, string>();
  for (const { hosts, method, path, actionClass, decoder } of operations) {
    const key = JSON.stringify([hosts, actionClass, method, decoder]);
    let rule = rules.get(key);
    if (!rule) {
      rules.set(key, rule = { hosts, method, actionClass, decoder, paths: new Set() });
    }
    const text = pattern(path);
    const place = `${method} ${hosts} ${text}`;
    const known = classes.get(place);
    if (known !== undefined && known !== key) {
      throw new Error(`Cannot write ${place}: ${known} and ${key} share it`);
    }
    classes.set(place, key);
    rule.paths.add(text);
  }
  return [...rules].sort(([a], [b]) => a < b ? -1 : 1).map(([, rule]) => rule);
}

function formatRule({ hosts, method, actionClass, decoder, paths }: Rule): string {
  const list = (items: readonly string[]) =>
    items.length === 1
      ? JSON.stringify(items[0])
      : `[\n${items.map((item) => `  ${JSON.stringify(item)},\n`).join("")}]`;
  return [
    "[[rules]]",
    `host = ${list(hosts)}`,
    `method = ${JSON.stringify(method)}`,
    `path = ${list([...paths].sort())}`,
    `action_class = ${JSON.stringify(actionClass)}`,
    ...(decoder !== undefined ? [`decoder = ${JSON.stringify(decoder)}`] : []),
  ].join("\n") + "\n";
}

function write(service: Service, tables: string): void {
  const operations = parseCsv(
    Deno.readTextFileSync(`${tables}/${service.table ?? service.name}.csv`),
  )
    .map((row) => ({
      method: row.method!,
      path: row.path!,
      host: row.host!,
      parentClass: row.class!,
      actionClass: registeredClass(row.class!, row.finer_class!),
    }))
    .flatMap((operation) => {
      const hosts = service.hosts(operation);
      // The interface of Enterprise Server is beneath a path, its console is not.
      const path = operation.host.replace(/^[^/]+/, "") + operation.path;
      return hosts ? [{ ...operation, path, hosts, decoder: service.decoder(operation) }] : [];
    });
  const pack = new URL(`../packs/mappings/${service.name}.toml`, import.meta.url);
  const head = /^[^]*?\n# ---- .* ----\n/.exec(Deno.readTextFileSync(pack))?.[0];
  if (head === undefined) throw new Error(`Cannot write ${pack.pathname}: it has no marker line`);
  const rules = groupRules(operations);
  Deno.writeTextFileSync(pack, `${head}\n${rules.map(formatRule).join("\n")}`);

  const data = new URL(`../tests/mapping/data/${service.name}.tsv`, import.meta.url);
  const lines = operations.map(({ method, hosts, path, parentClass, actionClass }) =>
    `${method}\t${hosts[0]}\t${path}\t${parentClass}\t${actionClass}\n`
  );
  Deno.writeTextFileSync(data, lines.sort().join(""));
  console.log(`${service.name}: ${operations.length} operations, ${rules.length} rules`);
}

const [tables] = Deno.args;
if (tables === undefined) {
  console.error("usage: packs_from_tables.ts <directory with the tables>");
  Deno.exit(2);
}
Deno.mkdirSync(new URL("../tests/mapping/data/", import.meta.url), { recursive: true });
for (const service of SERVICES) write(service, tables);
