/**
 * What placeholders look like. Clients check the form of a secret before they use it; a
 * placeholder that they refuse would be of no use. Every character is one that JSON, URLs and
 * forms leave as it is, so that a placeholder looks the same wherever it is sent.
 */
import { newId } from "../core/id.ts";
import { crc32 } from "./crc32.ts";

/** A shape, by the name that it has in `firma.toml`. */
export type PlaceholderShape = keyof typeof SHAPES;

const DIGITS = "0123456789";
const UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER = UPPER.toLowerCase();
const BASE62 = DIGITS + UPPER + LOWER;
const BASE64URL = `${BASE62}-_`;
const BASE32 = `${UPPER}234567`;

/** Far enough for a client that looks at the expiry: 2100-01-01, in seconds since the epoch. */
const FAR_EXPIRY = 4_102_444_800;

/** `count` characters of `alphabet`, each as likely as the others. */
function random(alphabet: string, count: number): string {
  // Bytes beyond the last whole multiple of the alphabet would favour its beginning.
  const limit = 256 - 256 % alphabet.length;
  let text = "";
  while (text.length < count) {
    for (const byte of crypto.getRandomValues(new Uint8Array(count * 2))) {
      if (byte < limit && text.length < count) text += alphabet[byte % alphabet.length];
    }
  }
  return text;
}

/** As GitHub and npm end their tokens: CRC-32 of the random part, six digits of base 62. */
function checksummed(entropy: string): string {
  let rest = crc32(entropy);
  let digits = "";
  for (let i = 0; i < 6; i++) {
    digits = BASE62[rest % 62] + digits;
    rest = Math.floor(rest / 62);
  }
  return entropy + digits;
}

function base64url(value: unknown): string {
  return btoa(JSON.stringify(value)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
}

/** Three parts that decode; it claims nothing but when it expires and which one it is. */
function jwt(): string {
  const header = base64url({ alg: "RS256", kid: random(LOWER + DIGITS, 16), typ: "JWT" });
  const payload = base64url({
    exp: FAR_EXPIRY,
    iat: Math.floor(Date.now() / 1000),
    iss: "https://placeholder.invalid/",
    jti: random(BASE62, 22),
    sub: "placeholder",
  });
  return `${header}.${payload}.${random(BASE64URL, 342)}`;
}

const openai = (prefix: string, half: number) => () =>
  `${prefix}${random(BASE62, half)}T3BlbkFJ${random(BASE62, half)}`;
const anthropic = (kind: string) => () => `sk-ant-${kind}-${random(BASE64URL, 93)}AA`;
const github = (prefix: string) => () => prefix + checksummed(random(BASE62, 30));

const SHAPES = {
  "fsp": () => newSecretId(),
  "uuid": () => crypto.randomUUID(),
  "jwt": jwt,
  "anthropic": anthropic("api03"),
  "anthropic-oauth": anthropic("oat01"),
  "anthropic-refresh": anthropic("ort01"),
  "openai": openai("sk-", 20),
  "openai-project": openai("sk-proj-", 74),
  "google": () => `AIza${random(BASE64URL, 35)}`,
  "github": github("ghp_"),
  "github-oauth": github("gho_"),
  "github-fine-grained": () =>
    `github_pat_${random(BASE62, 22)}_${checksummed(random(BASE62, 53))}`,
  "gitlab": () => `glpat-${random(BASE64URL, 20)}`,
  "slack": () => `xoxb-${random(DIGITS, 12)}-${random(DIGITS, 13)}-${random(BASE62, 24)}`,
  "npm": () => `npm_${checksummed(random(BASE62, 30))}`,
  "huggingface": () => `hf_${random(UPPER + LOWER, 34)}`,
  "pypi": () => `pypi-AgEIcHlwaS5vcmc${random(BASE64URL, 160)}`,
  "stripe": () => `sk_test_${random(BASE62, 99)}`,
  "aws-access-key-id": () => `AKIA${random(BASE32, 16)}`,
  "aws-secret-access-key": () => random(BASE62, 40),
} as const satisfies Readonly<Record<string, () => string>>;

/** A TypeID whose every bit but its version is random: one must not help to guess the next. */
function newSecretId(): string {
  const [bits] = crypto.getRandomValues(new BigUint64Array(1));
  return newId("fsp", Number(bits! & 0xffff_ffff_ffffn));
}

/** Every shape, for the configuration. */
export const PLACEHOLDER_SHAPES = Object.keys(SHAPES) as readonly PlaceholderShape[];

/** Makes one that nobody can guess. */
export function mintPlaceholder(shape: PlaceholderShape): string {
  return SHAPES[shape]();
}

/** What a variable of this name is checked for by the programs that read it. */
const BY_VARIABLE: Readonly<Record<string, PlaceholderShape>> = {
  ANTHROPIC_API_KEY: "anthropic",
  ANTHROPIC_AUTH_TOKEN: "anthropic-oauth",
  AWS_ACCESS_KEY_ID: "aws-access-key-id",
  AWS_SECRET_ACCESS_KEY: "aws-secret-access-key",
  CLAUDE_CODE_OAUTH_TOKEN: "anthropic-oauth",
  COPILOT_GITHUB_TOKEN: "github-oauth",
  GEMINI_API_KEY: "google",
  GH_TOKEN: "github",
  GITHUB_TOKEN: "github",
  GITLAB_TOKEN: "gitlab",
  GOOGLE_API_KEY: "google",
  HF_TOKEN: "huggingface",
  NODE_AUTH_TOKEN: "npm",
  NPM_TOKEN: "npm",
  OPENAI_API_KEY: "openai",
  SLACK_BOT_TOKEN: "slack",
  STRIPE_API_KEY: "stripe",
};

/** The clients of these hosts check what they are given. */
const BY_HOST: Readonly<Record<string, PlaceholderShape>> = {
  "api.anthropic.com": "anthropic",
  "api.github.com": "github",
  "api.openai.com": "openai",
  "api.stripe.com": "stripe",
  "generativelanguage.googleapis.com": "google",
  "github.com": "github",
  "gitlab.com": "gitlab",
  "huggingface.co": "huggingface",
  "slack.com": "slack",
  "upload.pypi.org": "pypi",
};

/** The shape for a credential that names none: by its variable, then its host, else `fsp`. */
export function usualShape(
  credential: { readonly variable?: string | undefined; readonly host: string },
): PlaceholderShape {
  const { variable, host } = credential;
  if (variable !== undefined && Object.hasOwn(BY_VARIABLE, variable)) return BY_VARIABLE[variable]!;
  return Object.hasOwn(BY_HOST, host) ? BY_HOST[host]! : "fsp";
}
