import type { HttpCall } from "../core/envelope.ts";
import { sha256 } from "../core/sha256.ts";
import { isTelling } from "../core/telling_variables.ts";

/**
 * Headers that change from one try of a request to the next and say nothing of what it does. All
 * others count, for they can turn a request into another one: `destination` of WebDAV,
 * `x-amz-target`, the account in `stripe-account`.
 */
const VOLATILE: ReadonlySet<string> = new Set([
  "accept",
  "accept-encoding",
  "accept-language",
  "baggage",
  "cache-control",
  "connection",
  "content-length",
  "date",
  "expect",
  "host",
  "idempotency-key",
  "keep-alive",
  "pragma",
  "priority",
  "proxy-authorization",
  "proxy-connection",
  "sentry-trace",
  "te",
  "traceparent",
  "tracestate",
  "user-agent",
  "x-amz-date",
  "x-client-request-id",
  "x-correlation-id",
  "x-request-id",
  "x-stainless-retry-count",
  "x-stripe-client-telemetry",
]);

/** Trace headers of many vendors. */
const VOLATILE_PREFIXES = ["x-b3-", "x-datadog-", "x-firma-"];

/** A header as it counts; `undefined` when it does not. */
function meaning(name: string, value: string): string | undefined {
  if (VOLATILE.has(name) || VOLATILE_PREFIXES.some((prefix) => name.startsWith(prefix))) {
    return undefined;
  }
  if (name !== "authorization") return value;
  // Signature Version 4 signs the moment; the rest of what it signs counts by itself.
  const signed = /^AWS4-HMAC-SHA256\s+Credential=([^/,\s]+)/.exec(value);
  return signed === null ? value : `AWS4-HMAC-SHA256 ${signed[1]}`;
}

/** What makes a call this one: SHA-256, hex. `bodySha256` is over all of its body. */
export function callFingerprint(
  call: HttpCall,
  headers: readonly (readonly [string, string])[],
  bodySha256: string,
): string {
  const counted = headers.flatMap(([name, value]) => {
    const counts = meaning(name, value);
    return counts === undefined ? [] : [[name, counts] as const];
  });
  // Fields of one name keep their order: it says something (RFC 9110, 5.3).
  counted.sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0);
  const { method, scheme, host, port, path, query } = call;
  return sha256(
    JSON.stringify(["call", method, scheme, host, port, path, query, counted, bodySha256]),
  );
}

/** A program that is about to run, as far as it decides what happens. */
export interface FingerprintedExecution {
  /** The name that it was called by, and the file that this is. */
  readonly name: string;
  readonly file: string;
  readonly argv: readonly string[];
  readonly cwd: string;
  /** What runs a script: the file, and what its first line says besides. */
  readonly interpreter?: readonly [file: string, argument: string] | undefined;
  /** Files that decide what happens, and in what state each of them is. @default none are known */
  readonly files?: readonly (readonly [path: string, state: string])[] | undefined;
  /** Its environment; what counts of it is chosen here. */
  readonly environment: Readonly<Record<string, string>>;
}

/** What makes an execution this one: SHA-256, hex. */
export function execFingerprint(execution: FingerprintedExecution): string {
  const { name, file, argv, cwd, interpreter = [], files = [], environment } = execution;
  const variables = Object.entries(environment)
    .filter(([variable]) => isTelling(variable))
    .sort(([a], [b]) => a < b ? -1 : 1);
  return sha256(JSON.stringify(["exec", name, file, argv, cwd, interpreter, files, variables]));
}
