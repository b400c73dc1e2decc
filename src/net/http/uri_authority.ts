/** Host and port as they are written in a URI (RFC 3986, 3.2). */

/** A host with its port. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

const HOST = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~-]{1,255})$/;

/** Reads `host:port` as CONNECT has it; `undefined` when it is something else. */
export function parseConnectTarget(target: string): HostAndPort | undefined {
  const colon = target.lastIndexOf(":");
  const host = target.slice(0, colon);
  const port = target.slice(colon + 1);
  if (colon < 1 || !HOST.test(host) || !/^[1-9][0-9]{0,4}$/.test(port)) return undefined;
  return Number(port) > 65_535 ? undefined : { host, port: Number(port) };
}

/** `host`, with the port unless it is the default of the scheme. */
export function formatAuthority(
  { scheme, host, port }: HostAndPort & { readonly scheme: "http" | "https" },
): string {
  const name = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  return port === (scheme === "https" ? 443 : 80) ? name : `${name}:${port}`;
}

/** Splits `http://authority/path` into its authority and the target in origin form. */
export function splitAbsoluteTarget(
  target: string,
): { readonly authority: string; readonly target: string } | undefined {
  const match = /^http:\/\/([^/?#@\\]+)([/?][^#]*)?$/i.exec(target);
  if (match === null) return undefined;
  const path = match[2] ?? "/";
  return { authority: match[1]!, target: path.startsWith("?") ? `/${path}` : path };
}

/** A host name in one spelling, for comparing two claims: lower case, no final dot, no brackets. */
export function comparableHost(host: string): string {
  const bare = host.startsWith("[") ? host.slice(1, -1) : host;
  return bare.toLowerCase().replace(/\.$/, "");
}
