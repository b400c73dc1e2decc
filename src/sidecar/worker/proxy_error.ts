import type { FirmaError } from "../../core/result.ts";
import type { HostAndPort } from "../../net/http/uri_authority.ts";

/** What is said of an address where agents without a sandbox cannot be heard. */
export function proxyError({ host, port }: HostAndPort, cause: unknown): FirmaError {
  const isTaken = cause instanceof Deno.errors.AddrInUse;
  return {
    code: "PROXY_ADDRESS",
    message: `Cannot listen on "${host}" port ${port}: ${
      isTaken ? "another program listens there" : cause
    }`,
    cure: "end that program, or write another listen_addr in [sidecar.interceptor]",
  };
}
