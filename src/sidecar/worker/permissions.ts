import type { HostAndPort } from "../../net/http/uri_authority.ts";
import type { ConnectorHost } from "../pipeline/route.ts";

/** What decides the permissions of a data-plane worker. */
export interface Reach {
  /** Host patterns that the mapping names, as Deno's net permission takes them. */
  readonly mappedHosts: readonly string[];
  readonly connectors: readonly ConnectorHost[];
  /** Whether calls to hosts that the mapping does not name are denied. */
  readonly defaultProtected: boolean;
  /** Whether calls that are denied may go out all the same. */
  readonly mayObserve?: boolean | undefined;
  /** Where the worker may listen for agents without a sandbox. */
  readonly httpProxy?: HostAndPort | undefined;
  /** The one directory that the worker may touch. */
  readonly socketDir: string;
  /** Every socket that the worker may listen on or connect to, absolute. */
  readonly sockets: readonly string[];
}

/**
 * The permissions of a data-plane worker: the hosts that the mapping names and
 * its own sockets, nothing else. Whatever takes the worker over by way of an
 * agent's bytes has no file, program or variable of the operator within reach.
 */
export function workerPermissions(reach: Reach): Deno.PermissionOptionsObject {
  return {
    net: netPermission(reach),
    read: [reach.socketDir],
    write: [reach.socketDir],
    env: false,
    run: false,
    ffi: false,
    sys: false,
    import: false,
  };
}

function netPermission(reach: Reach): true | string[] {
  const reachesAny = !reach.defaultProtected || reach.mayObserve === true;
  if (reachesAny || reach.mappedHosts.includes("*")) return true;
  const addresses = reach.connectors.flatMap(({ connectAddr }) =>
    connectAddr === undefined ? [] : [`${bracketed(connectAddr.hostname)}:${connectAddr.port}`]
  );
  const { httpProxy } = reach;
  if (httpProxy !== undefined) addresses.push(`${bracketed(httpProxy.host)}:${httpProxy.port}`);
  const sockets = reach.sockets.map((path) => `unix:${path}`);
  return [...new Set([...reach.mappedHosts, ...addresses, ...sockets])].sort();
}

function bracketed(hostname: string): string {
  return hostname.includes(":") && !hostname.startsWith("[") ? `[${hostname}]` : hostname;
}
