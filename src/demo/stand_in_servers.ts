import { SessionCa } from "../pki/session_ca.ts";

/** What a service does with a request; its body was read already. */
export type Handler = (request: Request, body: string) => Response | Promise<Response>;

/** A request that reached a service. */
export interface Received {
  readonly host: string;
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly body: string;
}

/** Services of this machine, each under the name of one that agents know. */
export interface StandInServers extends AsyncDisposable {
  /** Where each of them listens, by host: `127.0.0.1:<port>`. */
  readonly addresses: ReadonlyMap<string, string>;
  /** What their certificates verify under, PEM. */
  readonly certificate: string;
  /** Everything that reached them, in order. */
  readonly received: readonly Received[];
}

/** Starts HTTPS servers on loopback, one a host, with certificates that nothing else trusts. */
export async function startStandIns(
  handlers: ReadonlyMap<string, Handler>,
): Promise<StandInServers> {
  const authority = await SessionCa.create();
  const received: Received[] = [];
  const addresses = new Map<string, string>();
  const servers: Deno.HttpServer<Deno.NetAddr>[] = [];
  for (const [host, handle] of handlers) {
    const { certPem: cert, keyPem: key } = await authority.leaf(host);
    const server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, cert, key, onListen: () => {} },
      async (request) => {
        const body = await request.text();
        const { pathname, search } = new URL(request.url);
        received.push({ host, method: request.method, target: pathname + search, body });
        return await handle(request, body);
      },
    );
    addresses.set(host, `127.0.0.1:${server.addr.port}`);
    servers.push(server);
  }
  return {
    addresses,
    certificate: authority.certificatePem,
    received,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(servers.map((server) => server.shutdown()));
    },
  };
}
