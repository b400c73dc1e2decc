import type { FirmaConfig } from "../config/schema.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { credentialTargets } from "./credentials/credential_targets.ts";
import { readExecConfig } from "./exec/settings.ts";
import type { ConnectorHost } from "./pipeline/route.ts";
import type { MappingSource, WorkerConfig } from "./worker/messages.ts";

/** How many events of the data plane may wait for the disk; less than the writer's own queue. */
const AUDIT_CAPACITY = 1_024;

/** What the data-plane worker has to know of the configuration. */
export async function workerConfig(
  config: FirmaConfig,
  isMonitorAllowed = false,
): Promise<Result<WorkerConfig>> {
  const { connector, interceptor, mapping, capabilityValidation, approvals, audit } =
    config.sidecar;
  const connectors = await readConnectors(connector.hosts);
  if (!connectors.ok) return connectors;
  const localExec = await readExecConfig(config);
  if (!localExec.ok) return localExec;
  return ok({
    actionClasses: config.actionClasses,
    connectors: connectors.value,
    credentials: config.sidecar.credentials.flatMap(credentialTargets),
    secretStores: config.sidecar.httpSecretProviders,
    secretPrograms: config.sidecar.cliSecretProviders,
    maxSecretAnswerBytes: interceptor.maxDecompressedBodySize,
    bypassHosts: interceptor.httpsMitm.bypassHosts,
    localExec: localExec.value,
    defaultProtected: mapping.defaultProtected,
    mayObserve: isMonitorAllowed,
    ...(interceptor.mode === "http_proxy" && {
      httpProxy: { host: interceptor.listenAddr.hostname, port: interceptor.listenAddr.port },
    }),
    approvals: {
      mode: approvals.hitlMode,
      maxWaitMs: approvals.hitlMaxWaitMs,
      retryAfterMs: approvals.retryAfterMs,
      redactNames: audit.redactQueryParams,
    },
    maxBodyBytes: interceptor.maxRequestBodySize,
    clockSkewMs: capabilityValidation.clockSkewToleranceMs,
    timeouts: {
      connectMs: connector.connectTimeoutMs,
      headersMs: connector.headersTimeoutMs,
      idleMs: connector.idleTimeoutMs,
    },
    auditCapacity: AUDIT_CAPACITY,
    auditIsDurable: audit.durability === "durable",
  });
}

async function readConnectors(
  hosts: FirmaConfig["sidecar"]["connector"]["hosts"],
): Promise<Result<readonly ConnectorHost[]>> {
  if (hosts.length === 0) return ok([]);
  // Most projects have none, and a start waits for what this loads.
  const { normaliseHost } = await import("../mapping/host.ts");
  const connectors: ConnectorHost[] = [];
  for (const { host, connectAddr, caCertPath } of hosts) {
    const canonical = normaliseHost(host);
    if (!canonical.ok) return canonical;
    const caCerts = caCertPath === undefined ? ok([]) : await readCertificates(caCertPath);
    if (!caCerts.ok) return caCerts;
    connectors.push({ host: canonical.value, connectAddr, caCerts: caCerts.value });
  }
  return ok(connectors);
}

/** Reads the mapping files that the configuration names. */
export async function readMapping(
  paths: readonly string[],
): Promise<Result<readonly MappingSource[], FirmaError[]>> {
  const errors: FirmaError[] = [];
  const sources: MappingSource[] = [];
  for (const file of paths) {
    try {
      sources.push({ file, text: await Deno.readTextFile(file) });
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      errors.push({
        code: "MAPPING_UNREADABLE",
        message: `Cannot read mapping rules "${file}": ${reason}`,
        cure: "put the file back, or take it out of [sidecar.mapping] rules_paths",
        at: { file },
      });
    }
  }
  return errors.length > 0 ? err(errors) : ok(sources);
}

async function readCertificates(path: string): Promise<Result<readonly string[]>> {
  try {
    const text = await Deno.readTextFile(path);
    const certificates = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
    if (certificates !== null) return ok(certificates);
    return err({
      code: "CA_CERT_INVALID",
      message: `Cannot use "${path}": it holds no certificate in PEM form`,
      at: { file: path },
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return err({
      code: "CA_CERT_UNREADABLE",
      message: `Cannot read certificates from "${path}": ${reason}`,
      at: { file: path },
      cause,
    });
  }
}
