/** A transport in a worker; lives as the data plane does, with the permissions of the data plane. */
import { startTransport } from "../../../src/sidecar/transport/transport.ts";
import { ScriptedGate } from "./_harness.ts";

interface Start {
  readonly frontPath: string;
  readonly port: number;
  readonly caPem: string;
  readonly certPem: string;
  readonly keyPem: string;
}

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<Start>) => void;
  postMessage(message: unknown): void;
};

scope.onmessage = async ({ data }) => {
  const { frontPath, port, caPem, certPem, keyPem } = data;
  const gate = new ScriptedGate((host, _port, tls) => ({
    host,
    port,
    tls,
    connectAddr: { hostname: "127.0.0.1", port },
    caCerts: [caPem],
  }));
  const transport = await startTransport({
    gate,
    leaf: () => Promise.resolve({ certPem, keyPem }),
  });
  await transport.openSession("ses_test", frontPath);
  scope.postMessage("ready");
};
