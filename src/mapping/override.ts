/**
 * Requests that ask the server to take them for another one. What was matched
 * would then not be what happens, so they are refused unless they say nothing new.
 */

const METHOD_HEADERS: ReadonlySet<string> = new Set([
  "x-http-method",
  "x-http-method-override",
  "x-method-override",
]);

/** Some frameworks route by these instead of the request line. */
const PATH_HEADERS: ReadonlySet<string> = new Set(["x-original-url", "x-rewrite-url"]);

const METHOD_PARAMETERS: ReadonlySet<string> = new Set([
  "_method",
  "$httpmethod",
  "x-http-method",
  "x-http-method-override",
  "x-method-override",
]);

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * The header or query parameter by which a request asks to be taken for another
 * method or path, or `undefined`. Header names are compared with `_` as `-`,
 * for gateways that hand headers on as environment variables make no difference.
 */
export function overrideIn(
  method: string,
  query: string,
  headers: readonly (readonly [string, string])[],
): string | undefined {
  for (const [name, value] of headers) {
    const plain = name.toLowerCase().replaceAll("_", "-");
    if (PATH_HEADERS.has(plain)) return name;
    if (METHOD_HEADERS.has(plain) && value.trim() !== method) return name;
  }
  if (query.length < 2) return undefined;
  for (const pair of query.slice(1).split(/[&;]/)) {
    const equals = pair.indexOf("=");
    const name = decoded(equals < 0 ? pair : pair.slice(0, equals));
    if (!METHOD_PARAMETERS.has(name.toLowerCase())) continue;
    if (equals < 0 || decoded(pair.slice(equals + 1)) !== method) return name;
  }
  return undefined;
}
