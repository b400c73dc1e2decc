/**
 * The transport alone: a gate that allows everything. Started by `bench_proxy.ts` with a JSON
 * argument; prints a line when it listens.
 */
import type { CallInput, Gate, Verdict } from "../../src/sidecar/gate.ts";
import { startTransport } from "../../src/sidecar/transport/transport.ts";

/** What it needs. */
export interface BareTransport {
  readonly socket: string;
  readonly cert: string;
  readonly key: string;
  readonly caPem: string;
  readonly upstreamPort: number;
}

function permissiveGate({ caPem, upstreamPort }: BareTransport): Gate {
  const { signal } = new AbortController();
  const caCerts = [caPem];
  const connectAddr = { hostname: "127.0.0.1", port: upstreamPort };
  const unexpected = (): never => {
    throw new Error("the bench sends nothing that is refused");
  };
  return {
    connect: () => ({ kind: "terminate" }),
    decide({ peer, method, scheme, target, tunnel }: CallInput): Verdict {
      const host = tunnel!.connectHost;
      const port = tunnel!.connectPort;
      return {
        kind: "forward",
        eventId: "event",
        actionClass: "code.read",
        call: { method, scheme, host, port, path: target, query: "" },
        route: { host, port, tls: true, connectAddr, caCerts },
        dropHeaders: [],
        setHeaders: [],
        sessionId: peer.sessionId,
        signal,
      };
    },
    outcome() {},
    refuse: unexpected,
    abortProblem: unexpected,
  };
}

if (import.meta.main) {
  const options: BareTransport = JSON.parse(Deno.args[0]!);
  const leaf = { certPem: options.cert, keyPem: options.key };
  const transport = await startTransport({
    gate: permissiveGate(options),
    leaf: () => Promise.resolve(leaf),
  });
  await transport.openSession("ses_bench", options.socket);
  console.log("ready");
}
