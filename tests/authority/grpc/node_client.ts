/** Connect's own client for Node, over `node:http2`: reads one order, prints one JSON object. */
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { AuthorityService } from "../../../src/proto/firma/v1/authority_pb.ts";

interface Order {
  readonly endpoint: string;
  readonly request: Parameters<ReturnType<typeof client>["issueCapability"]>[0];
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
}

const order: Order = JSON.parse(Deno.args[0]!);
const { endpoint: baseUrl, tls: nodeOptions } = order;

function client(transport: ReturnType<typeof createGrpcTransport>) {
  return createClient(AuthorityService, transport);
}

const transports = {
  "gRPC": createGrpcTransport({ baseUrl, nodeOptions }),
  "Connect, HTTP/2": createConnectTransport({ httpVersion: "2", baseUrl, nodeOptions }),
  "Connect, HTTP/1.1": createConnectTransport({ httpVersion: "1.1", baseUrl, nodeOptions }),
};
const said: Record<string, unknown> = {};
for (const [name, transport] of Object.entries(transports)) {
  const authority = client(transport);
  const { granted } = await authority.issueCapability(order.request);
  let policies = "";
  for await (const { bundle } of authority.watchPolicyBundle({})) {
    policies = new TextDecoder().decode(bundle?.policies);
    break;
  }
  const refusal = await authority.watchRevocations({ since: { nanos: -1 } })[Symbol.asyncIterator]()
    .next().catch(({ code }) => code);
  said[name] = { granted, policies, refusal };
}
console.log(JSON.stringify(said));
Deno.exit(0);
