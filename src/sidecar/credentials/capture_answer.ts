import { Buffer } from "node:buffer";
import type { SignInTokens } from "../../broker/captured.ts";
import { err, ok, type Result } from "../../core/result.ts";
import type { SignInService, TokenRole } from "../../secrets/sign_in/services.ts";
import { isTokenLike } from "../../secrets/sign_in/token_like.ts";

/** The answer of a token endpoint. */
export interface TokenAnswer {
  readonly status: number;
  /** As the answer says; `""` where it does not. */
  readonly contentType: string;
  readonly content: Uint8Array;
}

/** What of an answer is for whom. */
export interface CapturedAnswer {
  /** None where nobody was signed in. */
  readonly tokens: SignInTokens;
  /** In milliseconds since the epoch. */
  readonly expiresAtMs?: number;
  /** What the agent's program gets. */
  readonly shown: Uint8Array;
}

type Members = Record<string, unknown>;

/** Ten years: what is longer is no time. */
const LONGEST_LIFE_S = 315_360_000;

/**
 * Takes the tokens out of an answer (RFC 6749, 5.1); `show` says what stands in the place of one.
 * The error says why the answer must not go on: whatever may be a secret and is none of the known
 * ones stays here.
 */
export function captureAnswer(
  answer: TokenAnswer,
  { members }: Pick<SignInService, "members">,
  show: (role: TokenRole, token: string) => string,
  nowMs: number,
): Result<CapturedAnswer, string> {
  const { status, content } = answer;
  if (content.length === 0) return ok({ tokens: {}, shown: content });
  const isForm = isOfType(answer, "application/x-www-form-urlencoded");
  const read = isForm ? readForm(content) : readJson(content);
  const isRefusal = status >= 400;
  if (read === undefined) {
    // An error page: whoever answers so has given no token.
    if (isRefusal) return ok({ tokens: {}, shown: content });
    return err("it is neither an object of JSON nor a form");
  }
  if (status >= 300 && !isRefusal) return err("it leads elsewhere");
  const tokens: Partial<Record<TokenRole, string>> = {};
  const shown: Members = {};
  for (const [name, value] of Object.entries(read)) {
    const role = Object.hasOwn(members, name) ? members[name] : undefined;
    if (role !== undefined && typeof value === "string" && value !== "") {
      if (isRefusal) return err(`it is a refusal, and there is a token in it`);
      if (tokens[role] !== undefined) return err("two of its members are the same token");
      if (!/^[\x21-\x7e]{8,16384}$/.test(value)) return err(`its ${role} token is no word`);
      tokens[role] = value;
      define(shown, name, show(role, value));
      continue;
    }
    if (hidesSecret(name, value)) {
      return err("there is something like a secret in an unknown member");
    }
    define(shown, name, value);
  }
  const expiresAtMs = endOf(read.expires_in, nowMs);
  const text = isForm
    ? String(new URLSearchParams(shown as Record<string, string>))
    : JSON.stringify(shown);
  return ok({ tokens, ...expiresAtMs !== undefined && { expiresAtMs }, shown: Buffer.from(text) });
}

/** A member whatever its name, `__proto__` too. */
function define(object: Members, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, enumerable: true, writable: true });
}

function hidesSecret(name: string, value: unknown, depth = 0): boolean {
  if (typeof value === "string") return isTokenLike(name, value);
  if (typeof value !== "object" || value === null) return false;
  if (depth > 8) return true;
  // In a list, each is what the list is called.
  if (Array.isArray(value)) return value.some((each) => hidesSecret(name, each, depth + 1));
  return Object.entries(value).some(([inner, each]) =>
    isTokenLike("", inner) || hidesSecret(inner, each, depth + 1)
  );
}

function readJson(content: Uint8Array): Members | undefined {
  try {
    const read: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(content));
    return typeof read === "object" && read !== null && !Array.isArray(read)
      ? read as Members
      : undefined;
  } catch {
    return undefined;
  }
}

function isOfType({ contentType }: TokenAnswer, type: string): boolean {
  return contentType.split(";", 1)[0]!.trim().toLowerCase() === type;
}

function readForm(content: Uint8Array): Members | undefined {
  const pairs = [...new URLSearchParams(new TextDecoder().decode(content))];
  // A name that is there twice means one thing to one reader, and another to the next.
  if (new Set(pairs.map(([name]) => name)).size !== pairs.length) return undefined;
  const members: Members = {};
  for (const [name, value] of pairs) define(members, name, value);
  return members;
}

function endOf(life: unknown, nowMs: number): number | undefined {
  const seconds = typeof life === "string" && /^\d{1,10}$/.test(life) ? Number(life) : life;
  if (typeof seconds !== "number" || !(seconds > 0) || seconds > LONGEST_LIFE_S) return undefined;
  return nowMs + Math.floor(seconds * 1000);
}
