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

const FORM_FIELD = /^content-disposition:[^\r\n]*\bname\s*=\s*"?_method"?\s*(?:;|\r?$)/im;
const JSON_MEMBER = /"_method"\s*:/i;

/** What a body is, as far as `_method` may be in it; `undefined` where no framework looks. */
export function bodyForm(contentType: string): "form" | "parts" | "json" | undefined {
  const type = contentType.split(";", 1)[0]!.trim().toLowerCase();
  if (type === "application/x-www-form-urlencoded") return "form";
  if (type.startsWith("multipart/")) return "parts";
  // Not messages one after the other, which may wait for answers.
  return /^application\/(?:(?!grpc|connect)[\w.-]+\+)?json$/.test(type) ? "json" : undefined;
}

/**
 * Whether the body of a POST has a field by which some frameworks take it for another method:
 * `_method` in a form (Rails, Symfony) or in JSON (Laravel). `bytes` may be its beginning.
 */
export function overridesInBody(contentType: string, bytes: Uint8Array): boolean {
  // One character for each byte: what is looked for is ASCII.
  const text = new TextDecoder("latin1").decode(bytes);
  switch (bodyForm(contentType)) {
    case "form":
      return text.split(/[&;]/).some((pair) => {
        const name = pair.split("=", 1)[0]!.replaceAll("+", " ");
        return decoded(name).trim().toLowerCase() === "_method";
      });
    case "parts":
      return FORM_FIELD.test(text);
    case "json":
      return JSON_MEMBER.test(text.replace(/\\u00([0-7][0-9a-f])/gi, fromHex));
    default:
      return false;
  }
}

function fromHex(_: string, digits: string): string {
  return String.fromCharCode(Number.parseInt(digits, 16));
}
