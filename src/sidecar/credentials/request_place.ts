/** Where in a request a placeholder stands. */
export interface Place {
  /** `body` is anything in a body that is no member and no field: text, files, what is packed. */
  readonly kind: "header" | "path" | "query" | "form" | "json" | "websocket" | "body";
  /** Of the header, parameter, field or member; `""` where it stands in none that is for secrets. */
  readonly name: string;
}

/**
 * Says what goes out in the place of a placeholder; `undefined` leaves it as it is. Throws a
 * {@linkcode PlaceholderRefusal} where the request must not go out.
 */
export type Resolve = (placeholder: string, place: Place) => string | undefined;

/** The request must not go out with the placeholder that is in it. */
export class PlaceholderRefusal extends Error {
  override readonly name = "PlaceholderRefusal";
}

/** Rewrites bytes as they go by, in pieces of any size: the result is the same however they are cut. */
export interface Swapper {
  /** What may go on so far. Part of it may be `piece` itself. */
  push(piece: Uint8Array): Uint8Array[];
  /** What was held back. */
  end(): Uint8Array[];
}

/**
 * Names of fields that are for secrets and for nothing else, in lower case without `-` and `_`. A
 * placeholder in any other is not swapped: what would go out could be what others can read, such as
 * the text of an issue.
 */
const FIELDS: ReadonlySet<string> = new Set([
  ...["accesskey", "accesstoken", "actortoken", "apikey", "apitoken", "assertion", "auth"],
  ...["authorization", "authtoken", "bearer", "bearertoken", "clientassertion", "clientsecret"],
  ...["credential", "idtoken", "jobtoken", "jwt", "oauthtoken", "passwd", "password"],
  ...["privatetoken", "pwd", "refreshtoken", "secret", "secretaccesskey", "secretkey"],
  ...["sessiontoken", "subjecttoken", "subscriptionkey", "token", "xapikey"],
]);

/** In an URL parameters of these names are keys of APIs; in a body they may be anything. */
const QUERY_FIELDS: ReadonlySet<string> = new Set([
  "key",
  "xamzcredential",
  "xamzsecuritytoken",
]);

/** Whether a parameter, field or member of this name is for secrets. */
export function isSecretField(name: string, kind: Place["kind"]): boolean {
  if (name.length > LONGEST_NAME) return false;
  const plain = name.toLowerCase().replace(/[-_]/g, "");
  return FIELDS.has(plain) || (kind === "query" && QUERY_FIELDS.has(plain));
}

/** No name of a field that is for secrets is longer. */
export const LONGEST_NAME = 64;

/** Headers that are for secrets and for nothing else. */
const HEADERS: ReadonlySet<string> = new Set([
  "api-key",
  "authorization",
  "job-token",
  "private-token",
  "x-api-key",
  "x-auth-token",
  "x-goog-api-key",
  "x-vault-token",
]);

/** Whether a header of this name, in lower case, is for secrets. */
export function isSecretHeader(name: string): boolean {
  return HEADERS.has(name);
}
