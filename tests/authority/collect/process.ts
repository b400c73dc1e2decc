/**
 * One side of shipping as a process that a test can kill: `authority <socket> <directory>` collects,
 * `sidecar <socket> <directory> <count>` appends events and ships them.
 */
import { Shipper } from "../../../src/audit/ship/shipper.ts";
import { endOfLog } from "../../../src/audit/ship/log_files.ts";
import { AuditWriter } from "../../../src/audit/writer.ts";
import { AuditClient } from "../../../src/authority/client/audit_client.ts";
import { Collector } from "../../../src/authority/collect/collector.ts";
import { FileCollection } from "../../../src/authority/collect/file_collection.ts";
import { LogWitness } from "../../../src/authority/collect/log_witness.ts";
import { auditRoutes } from "../../../src/authority/service/audit_routes.ts";
import { LOCAL_CLIENT } from "../../../src/authority/service/client.ts";
import { requestHandler } from "../../../src/authority/service/request_handler.ts";
import { listenUnix } from "../../../src/authority/service/unix_listener.ts";
import { unwrap } from "../../../src/core/result.ts";
import { ConnSocket } from "../../../src/net/conn_socket.ts";
import { HttpServer } from "../../../src/net/http/http_server.ts";
import { loadOrCreateSigningKey } from "../../../src/pki/signing_key.ts";
import { numberedDecision } from "../../audit/sample.ts";

const [side, socket, directory, count] = Deno.args as [string, string, string, string];

async function authority(): Promise<void> {
  const collection = unwrap(FileCollection.open(directory));
  const collector = new Collector(collection, (text) => console.log(`INCIDENT ${text}`));
  const key = unwrap(await loadOrCreateSigningKey(`${directory}/../witness.key`));
  const onFault = (what: string, cause: unknown) => console.log(`FAULT ${what} ${cause}`);
  const routes = auditRoutes({
    collector,
    witness: new LogWitness(collector, key),
    admit: () => LOCAL_CLIENT,
    onFault,
  });
  const http = new HttpServer({
    timeouts: { idleMs: 300_000, headMs: 15_000, silenceMs: 60_000 },
    limits: {
      headBytes: 16_384,
      bufferedBytes: 65_536,
      streamsPerConnection: 64,
      streamWindow: 1_048_576,
      connectionWindow: 4_194_304,
    },
  });
  const handler = requestHandler(routes, http.watchdog, onFault);
  unwrap(
    await listenUnix(socket, (conn) =>
      void http.serve({
        socket: new ConnSocket(conn),
        answer: (exchange) => handler(exchange, LOCAL_CLIENT),
        failed: () => {},
      })),
  );
}

async function sidecar(): Promise<void> {
  const logPath = `${directory}/audit.jsonl`;
  const key = unwrap(await loadOrCreateSigningKey(`${directory}/audit.key`));
  const destination = unwrap(
    await AuditClient.open({ endpoints: [`unix://${socket}`], logPath, onNotice: () => {} }),
  );
  const shipper = new Shipper({
    logPath,
    sink: "grpc",
    destination,
    notify: (_, text) => console.log(`NOTICE ${text}`),
    pollMs: 20,
    minBackoffMs: 10,
    maxBackoffMs: 50,
  });
  const writer = unwrap(
    await AuditWriter.open({ file: logPath, key, rotation: { maxBytes: 200_000 } }),
  );
  for (let seq = endOfLog(logPath).seq; seq < Number(count);) {
    for (let i = 0; i < 200; i++) writer.append(numberedDecision(seq + i));
    unwrap(await writer.flush());
    shipper.wake();
    seq = endOfLog(logPath).seq;
  }
  unwrap(await writer.close());
  while (shipper.state.waiting > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  await shipper.close(10_000);
}

if (side === "authority") {
  await authority();
  console.log("READY");
} else {
  console.log("READY");
  const began = performance.now();
  await sidecar();
  console.log(`DONE ${Math.round(performance.now() - began)}`);
  Deno.exit(0);
}
