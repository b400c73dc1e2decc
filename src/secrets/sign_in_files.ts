/**
 * Files in which agents keep their sign-in, and how they look with placeholders in place of the
 * tokens. The real file stays on the host; in the sandbox a copy lies over it.
 */
import type { PlaceholderShape } from "./placeholder_shapes.ts";
import type { TokenRole } from "./sign_in/services.ts";

/** One token of a sign-in. */
export interface SignInToken {
  /** `"*"`: every member that is text. */
  readonly member: string;
  readonly shape: PlaceholderShape;
  /** The header in which calls carry it; absent for what calls do not carry, such as a refresh token. */
  readonly header?: string;
  /** What it is, where the program can renew a sign-in with it. */
  readonly is?: TokenRole;
}

/** A sign-in in a file of JSON. */
export interface SignInFile {
  readonly id: string;
  /** Below the home, unless the variable names another directory. */
  readonly directory: string;
  readonly variable?: string;
  readonly name: string;
  /** Where its tokens are good for something. */
  readonly hosts: readonly string[];
  /** The object that holds the tokens. */
  readonly at: readonly string[];
  readonly tokens: readonly SignInToken[];
  /** Member that says when the token ends, in milliseconds: the agent must not renew it. */
  readonly expiry?: string;
  /** Member of the whole file that says when tokens were last renewed. */
  readonly renewed?: string;
  /**
   * The program puts a new file in its place, which it cannot where a copy lies over it. A text in
   * which this is found holds a token.
   */
  readonly replaced?: RegExp;
}

const BEARER = "authorization";
/** Each member is a token, whatever it is called: by accounts, for instance. */
const EACH = "*";
const CLAUDE = { directory: ".claude", variable: "CLAUDE_CONFIG_DIR", name: ".credentials.json" };
const CODEX = { directory: ".codex", variable: "CODEX_HOME", name: "auth.json" };
const OPENCODE = { directory: ".local/share/opencode", name: "auth.json" };

/** Every sign-in that is known. */
export const SIGN_IN_FILES: readonly SignInFile[] = [
  {
    ...CLAUDE,
    id: "claude",
    hosts: ["api.anthropic.com"],
    at: ["claudeAiOauth"],
    tokens: [
      { member: "accessToken", shape: "anthropic-oauth", header: BEARER },
      { member: "refreshToken", shape: "anthropic-refresh", is: "refresh" },
    ],
    expiry: "expiresAt",
  },
  {
    ...CODEX,
    id: "codex",
    hosts: ["api.openai.com"],
    at: [],
    tokens: [{ member: "OPENAI_API_KEY", shape: "openai", header: BEARER }],
  },
  {
    ...CODEX,
    id: "codex-subscription",
    hosts: ["chatgpt.com"],
    at: ["tokens"],
    tokens: [
      { member: "access_token", shape: "jwt", header: BEARER },
      { member: "id_token", shape: "jwt", is: "id" },
      { member: "refresh_token", shape: "fsp", is: "refresh" },
    ],
    renewed: "last_refresh",
  },
  {
    id: "gemini",
    directory: ".gemini",
    name: "oauth_creds.json",
    hosts: ["cloudcode-pa.googleapis.com", "generativelanguage.googleapis.com"],
    at: [],
    tokens: [
      { member: "access_token", shape: "fsp", header: BEARER },
      { member: "id_token", shape: "jwt", is: "id" },
      { member: "refresh_token", shape: "fsp", is: "refresh" },
    ],
    expiry: "expiry_date",
  },
  {
    id: "copilot",
    directory: ".copilot",
    variable: "COPILOT_HOME",
    name: "config.json",
    hosts: ["api.githubcopilot.com"],
    at: ["copilot_tokens"],
    tokens: [{ member: EACH, shape: "github-oauth", header: BEARER }],
    replaced: /gh[a-z]_|github_pat_/,
  },
  {
    ...OPENCODE,
    id: "opencode-openai-subscription",
    hosts: ["chatgpt.com"],
    at: ["openai"],
    tokens: [
      { member: "access", shape: "jwt", header: BEARER },
      { member: "refresh", shape: "fsp", is: "refresh" },
    ],
    expiry: "expires",
  },
  ...opencode("anthropic", "api.anthropic.com", "anthropic", "x-api-key"),
  ...opencode("openai", "api.openai.com", "openai", BEARER),
  ...opencode("google", "generativelanguage.googleapis.com", "google", "x-goog-api-key"),
  ...opencode("github-copilot", "api.githubcopilot.com", "fsp", BEARER),
];

function opencode(
  service: string,
  host: string,
  shape: PlaceholderShape,
  header: string,
): SignInFile[] {
  return [{
    ...OPENCODE,
    id: `opencode-${service}`,
    hosts: [host],
    at: [service],
    tokens: [
      { member: "key", shape, header },
      { member: "access", shape: "fsp", header: BEARER },
      { member: "refresh", shape: "fsp", is: "refresh" },
    ],
    expiry: "expires",
  }];
}

/** Placeholders by the member that they stand in. */
export type SignInPlaceholders = Readonly<Record<string, string>>;

/** 2100-01-01, in milliseconds since the epoch. */
const FAR_MS = 4_102_444_800_000;

type Json = Record<string, unknown>;

/** When the tokens of a sign-in end, in milliseconds since the epoch, where that is to be seen. */
export type EndOf = (signIn: SignInFile) => number | undefined;

/**
 * The text of a sign-in file with placeholders in place of the tokens of each of `signIns`. Where
 * it is not the JSON that it should be, it says nothing at all. Without `endOf` tokens seem good for
 * years: renewing is not the program's business.
 */
export function withPlaceholders(
  text: string,
  signIns: readonly (readonly [SignInFile, SignInPlaceholders])[],
  nowMs: number,
  endOf: EndOf = () => undefined,
): string {
  const file = parse(text);
  if (file === undefined) return "{}\n";
  for (const [signIn, placeholders] of signIns) {
    const holder = holderIn(file, signIn);
    if (holder === undefined) continue;
    const { tokens, expiry, renewed } = signIn;
    for (const token of tokens) {
      const { member } = token;
      for (const name of membersOf(holder, token)) {
        if (Object.hasOwn(placeholders, member)) holder[name] = placeholders[member];
        else delete holder[name];
      }
    }
    if (expiry !== undefined && holder[expiry] !== undefined) {
      holder[expiry] = endOf(signIn) ?? FAR_MS;
    }
    if (renewed !== undefined && file[renewed] !== undefined) {
      file[renewed] = new Date(nowMs).toISOString();
    }
  }
  return formatted(file);
}

/** The tokens of a sign-in that stand in a file, and when they end; `undefined` where it has none. */
export function tokensIn(
  text: string,
  signIn: SignInFile,
): (Partial<Record<TokenRole, string>> & { readonly expiresAtMs?: number }) | undefined {
  const file = parse(text);
  const holder = file && holderIn(file, signIn);
  if (holder === undefined) return undefined;
  const found: Partial<Record<TokenRole, string>> = {};
  for (const token of signIn.tokens) {
    const value = holder[token.member];
    if (typeof value === "string") found[roleOf(token)] ??= value;
  }
  const end = signIn.expiry === undefined ? undefined : holder[signIn.expiry];
  return { ...found, ...typeof end === "number" && { expiresAtMs: end } };
}

/** The text of a sign-in file with what `put` says in place of its tokens; all else stays. */
export function withTokens(
  text: string,
  signIn: SignInFile,
  put: (role: TokenRole) => string | undefined,
  expiresAtMs?: number,
): string | undefined {
  const file = parse(text);
  const holder = file && holderIn(file, signIn);
  if (holder === undefined) return undefined;
  for (const token of signIn.tokens) {
    if (typeof holder[token.member] !== "string") continue;
    holder[token.member] = put(roleOf(token)) ?? holder[token.member];
  }
  if (signIn.expiry !== undefined && expiresAtMs !== undefined) holder[signIn.expiry] = expiresAtMs;
  return formatted(file!);
}

function roleOf({ is }: SignInToken): TokenRole {
  return is ?? "access";
}

/** The members that hold a token of this kind. */
function membersOf(holder: Json, { member }: SignInToken): string[] {
  const names = member === EACH
    ? Object.keys(holder).filter((name) => typeof holder[name] === "string")
    : [member];
  return names.filter((name) => holder[name] !== undefined && holder[name] !== null);
}

function holderIn(file: Json, { at }: SignInFile): Json | undefined {
  let holder: unknown = file;
  for (const name of at) holder = isObject(holder) ? holder[name] : undefined;
  return isObject(holder) ? holder : undefined;
}

function formatted(file: Json): string {
  return `${JSON.stringify(file, undefined, 2)}\n`;
}

function parse(text: string): Json | undefined {
  try {
    const file: unknown = JSON.parse(text);
    return isObject(file) ? file : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
