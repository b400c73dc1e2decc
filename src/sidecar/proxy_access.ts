import { isId } from "../core/id.ts";
import { sha256 } from "../core/sha256.ts";
import type { HostAndPort } from "../net/http/uri_authority.ts";
import type { ProxySecret } from "./transport/proxy_credentials.ts";

/** 256 bits: more than anybody can guess. */
const SECRET_BYTES = 32;

/** What lets the agent of a session in by the proxy. The password is here and nowhere else. */
export interface ProxyAccess {
  /** What the data plane may know. */
  readonly secret: ProxySecret;
  /** The address of the proxy at `address` as clients take it, with name and password. */
  url(address: HostAndPort): string;
}

/** Makes the password of a session, which is handed out once. */
export function createProxyAccess(
  { sessionId, sandboxId }: { readonly sessionId: string; readonly sandboxId: string },
): ProxyAccess {
  const bytes = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  const password = bytes.toBase64({ alphabet: "base64url", omitPadding: true });
  // The name of a session with a token that was issued beforehand may not fit into a URL.
  const user = isId("ses", sessionId) ? sessionId : sandboxId;
  return {
    secret: { names: [sessionId, sandboxId], digest: Uint8Array.fromHex(sha256(password)) },
    url: ({ host, port }) => {
      const name = host.includes(":") ? `[${host}]` : host;
      return `http://${user}:${password}@${name}:${port}`;
    },
  };
}
