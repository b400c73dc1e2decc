import { isIP } from "node:net";
import { isAbsolute } from "node:path";
import { err, type FirmaError, ok, type Result } from "../../../core/result.ts";

/** A PostgreSQL database, and how to get there. */
export interface DatabaseTarget {
  /** A name, an address, or the directory of a unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly password: string | undefined;
  /** `undefined`: without TLS, which never leaves the machine. */
  readonly tls: DatabaseTls | undefined;
}

/** How the server is verified; its certificate has to be for the name that it was called by. */
export interface DatabaseTls {
  /** PEM: what the server's certificate verifies under; by default the usual roots. */
  readonly caPath: string | undefined;
  /** PEM: the certificate to show, and its key. */
  readonly client: { readonly certPath: string; readonly keyPath: string } | undefined;
}

const PARAMETERS = [
  "host",
  "port",
  "user",
  "password",
  "dbname",
  "sslmode",
  "sslrootcert",
  "sslcert",
  "sslkey",
];

/**
 * Reads `postgres://user:password@host:port/database?sslmode=verify-full` as libpq
 * does, with `host=/directory` for a unix socket. Nothing of the text is in an
 * error, because a password may be. Paths are absolute.
 */
export function parseDatabaseUrl(text: string): Result<DatabaseTarget> {
  const trimmed = text.trim();
  if (trimmed === "") return refuse("it is empty");
  // No host is not a host that a URL of the web may have; a name that is never used stands in.
  const match = /^postgres(?:ql)?:\/\/(?:([^/?#]*)@)?([^/?#@]*)(\/[^?#]*)?(?:\?([^#]*))?$/
    .exec(trimmed);
  if (match === null) return refuse("it is not postgres://user@host:port/database");
  const [, credentials = "", authority = "", path = "", query = ""] = match;
  const address = /^(?:\[([^\]]*)\]|([^:,]*))(?::(\d{1,5}))?$/.exec(authority);
  if (address === null) return refuse("its host is not one name or address");
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    if (!PARAMETERS.includes(name)) {
      return refuse(`it has a parameter that is not known here; known: ${PARAMETERS.join(", ")}`);
    }
    if (parameters.has(name)) return refuse(`it has the parameter "${name}" twice`);
    parameters.set(name, value);
  }
  const colon = credentials.indexOf(":");
  const parts = [
    colon < 0 ? credentials : credentials.slice(0, colon),
    colon < 0 ? "" : credentials.slice(colon + 1),
    path.slice(1),
    address[1] ?? address[2] ?? "",
  ].map(decode);
  if (parts.includes(undefined)) return refuse("it has an invalid percent-encoding");
  const [user, password, database, hostname] = parts as string[];
  const one = (name: string, given: string | undefined) => given || parameters.get(name) || "";
  const target = {
    host: one("host", hostname),
    port: Number(one("port", address[3]) || 5432),
    user: one("user", user),
    password: one("password", password) || undefined,
    database: one("dbname", database) || one("user", user),
  };
  if (Object.values(target).some((value) => String(value).includes("\0"))) {
    return refuse("it holds NUL");
  }
  if (target.host === "") return refuse("it names no host", "?host=/run/postgresql for a socket");
  if (target.user === "") return refuse("it names no user");
  if (!(target.port >= 1 && target.port <= 65535)) return refuse("its port is none");
  const tls = readTls(target.host, parameters);
  return tls.ok ? ok({ ...target, tls: tls.value }) : tls;
}

/** Names the database without anything secret. */
export function describeTarget({ host, port, database }: DatabaseTarget): string {
  return isAbsolute(host) ? `${database} at ${host}` : `${database} at ${host}:${port}`;
}

function readTls(
  host: string,
  parameters: ReadonlyMap<string, string>,
): Result<DatabaseTls | undefined> {
  const [caPath, certPath, keyPath] = ["sslrootcert", "sslcert", "sslkey"]
    .map((name) => parameters.get(name) || undefined);
  const isHere = isAbsolute(host) || isLoopback(host);
  const mode = parameters.get("sslmode") || (isHere ? "disable" : "verify-full");
  if (mode === "disable" && isHere) return ok(undefined);
  if (mode !== "verify-full") {
    return refuse(
      isHere ? "its sslmode is neither disable nor verify-full" : "its sslmode is not verify-full",
      isHere
        ? "leave sslmode out"
        : "leave sslmode out: whoever could pose as the server could decide what agents may do",
    );
  }
  if (isAbsolute(host)) return refuse("there is no TLS on a unix socket", "leave sslmode out");
  for (const path of [caPath, certPath, keyPath]) {
    if (path !== undefined && !isAbsolute(path)) return refuse("a path in it is not absolute");
  }
  if ((certPath === undefined) !== (keyPath === undefined)) {
    return refuse("it has one of sslcert and sslkey without the other");
  }
  return ok({ caPath, client: certPath && keyPath ? { certPath, keyPath } : undefined });
}

function isLoopback(host: string): boolean {
  if (host === "localhost" || host === "::1") return true;
  return isIP(host) === 4 && host.startsWith("127.");
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function refuse(
  state: string,
  cure = "postgres://user:password@host/database, or postgres:///database?host=/run/postgresql",
): Result<never, FirmaError> {
  const message = `Cannot use the URL of the Authority's database: ${state}`;
  return err({ code: "DATABASE_URL_INVALID", message, cure });
}
