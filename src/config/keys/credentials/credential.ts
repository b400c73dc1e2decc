import {
  type Key,
  key,
  LABEL,
  type Section,
  section,
  type SectionMap,
  sectionMap,
} from "../../key.ts";
import { type Checked, fault, isTable, type ReadContext } from "../../reader.ts";
import { PLACEHOLDER_SHAPES, type PlaceholderShape } from "../../../secrets/placeholder_shapes.ts";
import type { TomlPath } from "../../toml_positions.ts";
import { DURATION, list, NOT_EMPTY, oneOf, text, VARIABLE } from "../../value_type.ts";
import {
  CREDENTIAL_KINDS,
  type CredentialKindName,
  type CredentialSource,
  kindOf,
} from "./kinds.ts";

/** How a secret is written into a header. */
export interface HeaderForm {
  /** Lower case. */
  readonly header: string;
  /** Stands before the secret; no part of it. */
  readonly prefix: string;
  /** The secret is the password of this user (RFC 7617), instead of standing there itself. */
  readonly basicUser: string | undefined;
}

/** `[sidecar.credentials.<label>]`: what is added to which calls, and where it comes from. */
export interface CredentialConfig {
  readonly label: string;
  /** Exact; lower case. Calls over TLS to these get it and no others. */
  readonly hosts: readonly CredentialHost[];
  /** Whole segments from the left; empty: every path. */
  readonly paths: readonly string[];
  /** With all that is within them; empty: every class. */
  readonly actionClasses: readonly string[];
  readonly form: HeaderForm;
  /** Variables of the agent that hold a placeholder of it. */
  readonly agentVariables: readonly string[];
  /** What its placeholders look like; what is usual where it does not say. */
  readonly placeholder: PlaceholderShape | undefined;
  /** How long a secret that says of no end of its own is used before it is asked for again. */
  readonly refreshMs: number;
  /** How long getting it may take. */
  readonly timeoutMs: number;
  readonly source: CredentialSource;
  /** How often its secret was replaced while a Sidecar ran; nothing else of it changed. @default 0 */
  readonly revision?: number;
}

/** A host that a credential may go to. */
export interface CredentialHost {
  readonly host: string;
  readonly port: number;
}

const NAME = "[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*";
const HOST = new RegExp(`^(?=.{1,259}$)(${NAME}|\\[[0-9a-f:.]+\\])(?::([0-9]{1,5}))?$`);

function checkHost(value: string): Checked<CredentialHost> {
  const match = HOST.exec(value.toLowerCase());
  const port = Number(match?.[2] ?? 443);
  if (match !== null && port >= 1 && port <= 65535) return { value: { host: match[1]!, port } };
  return {
    state: `"${value}" is not the name of one host`,
    cure: "write each host out, with a port unless it is 443: no scheme, path or wildcard",
  };
}

/** The name of one host that a secret may go to, with a port unless it is 443. */
export const CREDENTIAL_HOST = text("host", { minLength: 1 }, checkHost);

const PREFIX_PATH = text<string>("path", { pattern: "^/" }, (value) => {
  const isPlain = /^\/(?:[\w.~@:+-]+\/)*[\w.~@:+-]*$/.test(value) &&
    !value.split("/").some((segment) => segment === "." || segment === "..");
  return isPlain ? { value } : { state: `"${value}" is not the beginning of a path` };
});

const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
/** A secret there would change what the message is, or go further than its next hop. */
const FRAMING = new Set([
  ...["host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade"],
  ...["keep-alive", "proxy-connection", "proxy-authorization", "expect"],
]);

const HEADER = text<string>("header", { minLength: 1 }, (value) => {
  const name = value.toLowerCase();
  if (TOKEN.test(name) && !FRAMING.has(name)) return { value: name };
  return { state: `"${value}" is not a header that can hold a credential` };
});

const PREFIX = text<string>(
  "string",
  { pattern: "^[ -~]{0,64}$" },
  (value) =>
    /^[\x20-\x7e]{0,64}$/.test(value)
      ? { value }
      : { state: "it is not up to 64 printable characters of ASCII" },
);

const BASIC_USER = text<string>(
  "string",
  { minLength: 1 },
  (value) =>
    /^[\x21-\x7e]{1,128}$/.test(value) && !value.includes(":")
      ? { value }
      : { state: `"${value}" cannot be the name of a user` },
);

const NAMES = Object.keys(CREDENTIAL_KINDS) as [CredentialKindName, ...CredentialKindName[]];

const COMMON = {
  provider: key(oneOf<CredentialKindName>(NAMES), {
    about: "Where the secret comes from; the guide says what each is for",
    required: true,
    example: "file",
    applies: "live",
  }),
  hosts: key(list(CREDENTIAL_HOST), {
    about: "The hosts that it may go to, each by its full name; over TLS alone",
    required: true,
    example: ["api.github.com", "uploads.github.com"],
    applies: "live",
  }),
  paths: key(list(PREFIX_PATH), {
    about: "The paths that it is for, with everything below them; `[]`: every path",
    default: [],
    example: ["/v1"],
    applies: "live",
  }),
  action_classes: key(list(NOT_EMPTY, "list of action classes"), {
    about: "The action classes that it is for, with everything within them; `[]`: all of them",
    default: [],
    example: ["code.read"],
    applies: "live",
  }),
  header: key(HEADER, {
    about: "The header that it is put into, in place of what the agent sends there",
    default: "authorization",
    example: "x-api-key",
    applies: "live",
  }),
  prefix: key(PREFIX, {
    about: "What stands before it in the header",
    otherwise: '`"Bearer "` in `authorization`, else nothing',
    example: "token ",
    applies: "live",
  }),
  basic_user: key(BASIC_USER, {
    about: "Send it as the password of this user (Basic); instead of `prefix`",
    otherwise: "it is sent as it is",
    example: "x-access-token",
    applies: "live",
  }),
  env: key(list(VARIABLE, "list of names"), {
    about: "Variables in which the agent finds a placeholder of it, whatever they hold outside",
    default: [],
    example: ["GH_TOKEN", "GITHUB_TOKEN"],
    applies: "live",
  }),
  placeholder: key(oneOf<PlaceholderShape>(PLACEHOLDER_SHAPES as readonly [PlaceholderShape]), {
    about: "What a placeholder of it looks like, for programs that check the form of a secret",
    otherwise: "what its variable or its host is known for, else `fsp`",
    example: "github",
    applies: "live",
  }),
  refresh: key(DURATION, {
    about: "How long it is used before it is asked for again, where it does not say when it ends",
    default: "5m",
    example: "1h",
    applies: "live",
  }),
  timeout: key(DURATION, {
    about: "How long getting it may take; calls that need it wait",
    default: "10s",
    example: "30s",
    applies: "live",
  }),
};

const ABOUT = "A credential that is added to calls, and that no agent ever holds";

/** All keys of all kinds, for whoever describes them; `read` of a kind decides which may be there. */
function everyKey() {
  const all: Record<string, Key<unknown>> = { ...COMMON };
  for (const name of NAMES) {
    for (const [word, node] of Object.entries(kindOf(name).section.keys)) {
      if (node.kind === "key") all[word] ??= ofKind(node, word);
    }
  }
  return all;
}

function ofKind(node: Key<unknown>, word: string): Key<unknown> {
  const kinds = NAMES.filter((name) => Object.hasOwn(kindOf(name).section.keys, word));
  const named = kinds.slice(0, 2).map((name) => `\`${name}\``).join(", ");
  const about = `With ${named}${kinds.length > 2 ? " and others" : ""}: ${lower(node.about)}`;
  if (!node.isRequired) return { ...node, about };
  return { ...node, about, isRequired: false, otherwise: "none; needed there" };
}

const READERS = Object.fromEntries(
  NAMES.map((name) => [name, section(ABOUT, { ...COMMON, ...kindOf(name).section.keys })]),
) as unknown as Record<
  CredentialKindName,
  Section<CommonTable & Readonly<Record<string, unknown>>>
>;

type CommonTable = { [K in keyof typeof COMMON]: ReturnType<(typeof COMMON)[K]["read"]> };

function readCredential(value: unknown, path: TomlPath, context: ReadContext) {
  const before = context.errors.length;
  if (!isTable(value)) return void fault(context, path, "it is not a table");
  const kind = COMMON.provider.read(value.provider, [...path, "provider"], context);
  if (context.errors.length > before) return undefined;
  const given = READERS[kind].read(value, path, { ...context, instead: insteadOf(kind, context) });
  if (context.errors.length > before) return undefined;
  const found = disagreement(kind, given);
  if (found) return void fault(context, [...path, found.key], found.state, found.cure);
  return credential(String(path.at(-1)), kind, given);
}

function insteadOf(kind: CredentialKindName, { instead }: ReadContext): ReadContext["instead"] {
  return (path) => {
    const word = String(path.at(-1));
    const others = NAMES.filter((name) => Object.hasOwn(kindOf(name).section.keys, word));
    if (others.length === 0) return instead?.(path);
    return `it belongs to provider = ${
      others.map((name) => `"${name}"`).join(" or ")
    }, not "${kind}"`;
  };
}

function disagreement(kind: CredentialKindName, given: CommonTable) {
  const { check, signs, ownForm } = kindOf(kind);
  const { hosts, header, prefix, basic_user } = given;
  if (hosts.length === 0) return { key: "hosts", state: "it names no host" };
  if (basic_user !== undefined && prefix !== undefined) {
    return { key: "basic_user", state: "there is a prefix as well" };
  }
  if (basic_user !== undefined && header !== "authorization") {
    return { key: "basic_user", state: `a password is no value of the header "${header}"` };
  }
  if (signs && (basic_user !== undefined || prefix !== undefined)) {
    return {
      key: "provider",
      state: `with "${kind}", calls are signed: there is no header to write`,
    };
  }
  if (ownForm && (basic_user !== undefined || prefix !== undefined)) {
    return { key: "provider", state: `"${kind}" says itself how it is sent` };
  }
  return check?.(given);
}

function credential(
  label: string,
  kind: CredentialKindName,
  given: CommonTable & Readonly<Record<string, unknown>>,
): CredentialConfig {
  const { header, prefix, basic_user } = given;
  const own = Object.keys(kindOf(kind).section.keys);
  return {
    label,
    hosts: given.hosts,
    paths: given.paths,
    actionClasses: given.action_classes,
    form: {
      header,
      prefix: prefix ?? (header === "authorization" && !basic_user ? "Bearer " : ""),
      basicUser: basic_user,
    },
    agentVariables: given.env,
    placeholder: given.placeholder,
    refreshMs: given.refresh,
    timeoutMs: given.timeout,
    // Read by the section of this very kind.
    source: {
      kind,
      settings: Object.fromEntries(own.map((word) => [word, given[word]])),
    } as unknown as CredentialSource,
  };
}

/** In the middle of a sentence. */
function lower(text: string): string {
  return /^[A-Z][a-z ]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}

const MEMBERS = sectionMap(
  "<label>",
  { ...section(ABOUT, everyKey()), read: readCredential } as Section<CredentialConfig | undefined>,
);

/** `[sidecar.credentials.<label>]`, in the order of the file. */
export const CREDENTIALS: SectionMap<readonly CredentialConfig[]> = {
  ...MEMBERS,
  read(value, path, context) {
    const before = context.errors.length;
    const members = MEMBERS.read(value, path, context);
    if (context.errors.length > before) return [];
    return [...members.values()].filter((member) => member !== undefined);
  },
};

/** Names that a credential may have. */
export const CREDENTIAL_LABEL = LABEL;
