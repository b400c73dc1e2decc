/** Members of answers (RFC 6749, 5) that are no secret, whatever stands in them. */
const HARMLESS: ReadonlySet<string> = new Set([
  ...["error", "error_description", "error_uri", "issued_token_type", "scope", "token_type"],
]);

const SECRET_NAME =
  /(?:^|[_-])(?:token|secret|password|passwd|assertion|credential|credentials|api_?key|jwt|cookie|ticket)$/;
const IDENTIFIER = /(?:^|[_-])(?:id|uuid|sub|name|type|email|address)$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const DATE = /^\d{4}-\d{2}-\d{2}(?:T[\d:.]+(?:Z|[+-]\d{2}:?\d{2})?)?$/;
const JWT = /^[\w-]{4,}\.[\w-]{4,}\.[\w-]*(?:\.[\w-]+\.[\w-]+)?$/;

/** A secret of a service has as many characters at least. */
const SHORTEST = 20;
const SHORTEST_BY_NAME = 8;

/**
 * Whether what a service says under a name may be a secret: by the name, or because it is one long
 * word of letters and digits. Rather too much than too little: such an answer is kept back.
 */
export function isTokenLike(name: string, value: string): boolean {
  const plain = name.replace(/([a-z])([A-Z])/g, "$1_$2").toLowerCase();
  if (HARMLESS.has(plain)) return JWT.test(value);
  if (SECRET_NAME.test(plain)) return value.length >= SHORTEST_BY_NAME;
  if (value.length < SHORTEST || !/^[\w.~+/=|:-]+$/.test(value)) return false;
  if (JWT.test(value)) return true;
  if (/^https?:\/\//.test(value) || UUID.test(value) || DATE.test(value)) return false;
  if (IDENTIFIER.test(plain) && value.length <= 64) return false;
  return /[0-9]/.test(value) && /[A-Za-z]/.test(value);
}
