import { ShippingSink } from "../audit/ship/shipping_sink.ts";
import type { Destination } from "../audit/ship/destination.ts";
import type { SinkKind } from "../config/keys/audit_sinks.ts";
import type { Environment } from "../config/paths.ts";
import type { FirmaConfig } from "../config/schema.ts";
import { err, ok, type Result } from "../core/result.ts";
import { readCredentials } from "./authority_credentials.ts";
import { errorLine, type Notify } from "./notices.ts";

/** What opening the sinks needs beside the configuration. */
interface SinkContext {
  readonly env: Environment;
  readonly notify: Notify;
}

/**
 * The sinks that lines are shipped to from the log. None is reached before there is something to
 * ship, and none that cannot be reached keeps a Sidecar from starting; one that cannot be
 * configured does. Standard output is that of whoever runs `firma sidecar`, not of this process.
 */
export async function openSinks(
  config: FirmaConfig,
  context: SinkContext,
): Promise<Result<ShippingSink[]>> {
  const { filePath: logPath, shipping: { kinds, required, maxLag } } = config.sidecar.audit;
  const opened: ShippingSink[] = [];
  for (const sink of kinds) {
    if (sink === "stdout") continue;
    const destination = await openDestination(sink, config, context);
    if (!destination.ok) {
      for (const each of opened) await each.close(0);
      return destination;
    }
    const isRequired = required.includes(sink);
    opened.push(
      new ShippingSink({
        logPath,
        sink,
        destination: destination.value,
        required: isRequired,
        maxLag,
        notify: context.notify,
      }),
    );
  }
  return ok(opened);
}

async function openDestination(
  sink: Exclude<SinkKind, "stdout">,
  config: FirmaConfig,
  context: SinkContext,
): Promise<Result<Destination>> {
  if (sink === "grpc") return await openAuthority(config, context);
  const { otlp } = config.sidecar.audit.shipping;
  if (otlp === undefined) {
    return err(unusable("otlp", "there is no endpoint", "write endpoint in [sidecar.audit.otlp]"));
  }
  const { OtlpDestination } = await import("../audit/otlp/otlp_destination.ts");
  return await OtlpDestination.open(otlp, context.env);
}

async function openAuthority(
  { sidecar }: FirmaConfig,
  { env, notify }: SinkContext,
): Promise<Result<Destination>> {
  const { remote } = sidecar.authority;
  if (remote === undefined) {
    const cure = "write url in [sidecar.authority], or take grpc out of sinks";
    return err(unusable("grpc", "there is no Authority to ship to", cure));
  }
  const credentials = remote.credentials && await readCredentials(remote.credentials, env);
  if (credentials?.ok === false) return credentials;
  const { AuditClient } = await import("../authority/client/audit_client.ts");
  const { clientCertPath: certPath, clientKeyPath: keyPath, caCertPath: caPath } = remote;
  return await AuditClient.open({
    endpoints: remote.urls,
    connectAddr: remote.connectAddr,
    tls: certPath && keyPath ? { certPath, keyPath, caPath } : undefined,
    credentials: credentials?.value,
    logPath: sidecar.audit.filePath,
    onNotice: (notice) => notify("warn", errorLine(notice)),
  });
}

function unusable(sink: SinkKind, state: string, cure: string) {
  return {
    code: "AUDIT_SINK_UNUSABLE",
    message: `Cannot ship the audit log to the sink "${sink}": ${state}`,
    cure,
  };
}
