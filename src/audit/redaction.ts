/** What stands in the log instead of a secret. */
export const REDACTED = "[REDACTED]";

/** A name that holds one of these words holds a secret: `client_secret`, `X-Amz-Signature`. */
const SENSITIVE_WORDS: ReadonlySet<string> = new Set([
  "accesstoken",
  "apikey",
  "auth",
  "authorization",
  "bearer",
  "cookie",
  "credential",
  "credentials",
  "jwt",
  "passphrase",
  "passwd",
  "password",
  "privatekey",
  "pwd",
  "secret",
  "sig",
  "signature",
  "token",
]);

/** A key is a secret after one of these words: `api_key`, `Ocp-Apim-Subscription-Key`. */
const KEY_QUALIFIERS: ReadonlySet<string> = new Set([
  "access",
  "account",
  "api",
  "functions",
  "private",
  "shared",
  "signing",
  "subscription",
]);

/** Names judged before, because the same few come back on every call. */
const judged = new Map<string, boolean>();
const JUDGED_LIMIT = 1_024;

/** Tells whether a query parameter or a header of this name carries a secret. */
export function isSensitiveName(name: string): boolean {
  let sensitive = judged.get(name);
  if (sensitive === undefined) {
    sensitive = judge(name);
    if (judged.size >= JUDGED_LIMIT) judged.clear();
    if (name.length <= 64) judged.set(name, sensitive);
  }
  return sensitive;
}

function judge(name: string): boolean {
  const words = decodeAscii(name)
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2") // accessToken
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");
  if (words.length === 1 && words[0] === "key") return true;
  return words.some((word, i) =>
    SENSITIVE_WORDS.has(word) ||
    (word === "key" && i > 0 && KEY_QUALIFIERS.has(words[i - 1]!)) ||
    // privateKey and PRIVATEKEY, x_apikey2
    SENSITIVE_WORDS.has(word.replace(/[0-9]+$/, ""))
  );
}

/** A name may hide behind percent-encoding: `%74oken` is `token` to the server. */
function decodeAscii(name: string): string {
  return name.replace(/%([0-7][0-9a-f])/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
}

/**
 * Replaces the values of sensitive parameters in a query, with or without its
 * `?`; everything else stays as it came. `extraNames` are compared without case.
 */
export function redactQuery(query: string, extraNames: readonly string[] = []): string {
  if (!query.includes("=")) return query;
  // Some servers take ";" for "&".
  return query.replace(/([^?&;=]+)=([^&;]*)/g, (pair, name: string, value: string) => {
    if (value === "") return pair;
    const extra = extraNames.length > 0 &&
      extraNames.some((other) => other.toLowerCase() === decodeAscii(name).toLowerCase());
    return extra || isSensitiveName(name) ? `${name}=${REDACTED}` : pair;
  });
}

/** Redacts the query of a `<host><path>?<query>`; redacting twice changes nothing. */
export function redactResource(resource: string, extraNames: readonly string[] = []): string {
  const at = resource.indexOf("?");
  if (at < 0) return resource;
  return resource.slice(0, at) + redactQuery(resource.slice(at), extraNames);
}

/** Replaces the values of headers that carry secrets: `authorization`, `cookie`, `x-api-key`. */
export function redactHeaders(
  headers: readonly (readonly [string, string])[],
): (readonly [string, string])[] {
  return headers.map(([name, value]) => [name, isSensitiveName(name) ? REDACTED : value]);
}
