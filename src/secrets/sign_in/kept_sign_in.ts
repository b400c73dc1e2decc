import { TOKEN_ROLES, type TokenRole } from "./services.ts";

/** A sign-in as it is kept in a file. */
export interface KeptSignIn {
  readonly tokens: Readonly<Partial<Record<TokenRole, string>>>;
  /** When the access token ends, in milliseconds since the epoch. */
  readonly expiresAtMs?: number;
}

/** Reads what {@linkcode formatSignIn} wrote; `undefined` where it is anything else. */
export function parseSignIn(text: string): KeptSignIn | undefined {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof read !== "object" || read === null) return undefined;
  const members = read as Readonly<Record<string, unknown>>;
  const tokens: Partial<Record<TokenRole, string>> = {};
  for (const role of TOKEN_ROLES) {
    const token = members[`${role}_token`];
    if (token === undefined) continue;
    if (typeof token !== "string" || token === "") return undefined;
    tokens[role] = token;
  }
  const end = members.expires_at_ms;
  return { tokens, ...typeof end === "number" && { expiresAtMs: end } };
}

/** One line of JSON. */
export function formatSignIn({ tokens, expiresAtMs }: KeptSignIn): string {
  return JSON.stringify({
    ...Object.fromEntries(Object.entries(tokens).map(([role, token]) => [`${role}_token`, token])),
    ...expiresAtMs !== undefined && { expires_at_ms: expiresAtMs },
  });
}
