import { TestCa } from "../fixtures/test_ca.ts";

/** The servers that clients of this machine talk to. */
export interface Servers extends AsyncDisposable {
  readonly ca: TestCa;
  /** `127.0.0.1:<port>`, each. */
  readonly plainAddress: string;
  readonly secureAddress: string;
  /** What reached them, in order: method and target. */
  readonly requests: readonly string[];
}

/** Starts them; `hosts` are the names of the one that speaks TLS. */
export async function startServers(hosts: readonly [string, ...string[]]): Promise<Servers> {
  const ca = await TestCa.create();
  const requests: string[] = [];
  const handle = (request: Request): Response => {
    const { pathname, search } = new URL(request.url);
    requests.push(`${request.method} ${pathname}${search}`);
    if (request.headers.get("upgrade")?.toLowerCase() === "websocket") {
      const { socket, response } = Deno.upgradeWebSocket(request);
      socket.onmessage = ({ data }) => socket.send(`echo of ${data}`);
      return response;
    }
    return new Response(`hello from ${pathname}\n`, { headers: { "content-type": "text/plain" } });
  };
  const quiet = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const plain = Deno.serve(quiet, handle);
  const { cert, key } = await ca.issue(...hosts);
  const secure = Deno.serve({ ...quiet, cert, key }, handle);
  return {
    ca,
    plainAddress: `127.0.0.1:${plain.addr.port}`,
    secureAddress: `127.0.0.1:${secure.addr.port}`,
    requests,
    [Symbol.asyncDispose]: async () =>
      void await Promise.all([plain, secure].map((s) => s.shutdown())),
  };
}
