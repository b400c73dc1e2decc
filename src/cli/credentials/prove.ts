import { Broker } from "../../broker/broker.ts";
import { withHelperPath } from "../../broker/helper_path.ts";
import { editionOf } from "../../config/keys/credentials/edition.ts";
import type { Issued } from "../../broker/hand_out.ts";
import type { CredentialConfig } from "../../config/keys/credentials/credential.ts";
import type { FirmaConfig } from "../../config/schema.ts";
import { dirname } from "../../core/path.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { workerConfig } from "../../sidecar/settings.ts";
import { routeTo } from "../../sidecar/pipeline/route.ts";
import { Connector } from "../../sidecar/transport/connector.ts";
import { DEFAULT_LIMITS, DEFAULT_TIMEOUTS } from "../../sidecar/transport/transport_options.ts";
import { UpstreamFailure } from "../../sidecar/transport/upstream.ts";
import { Watchdog } from "../../net/watchdog.ts";
import type { ServiceProbe } from "./services.ts";

/** What a credential turned out to be; nothing of it is secret. */
export interface Proof {
  readonly provider: string;
  readonly expiresAtMs: number | undefined;
  /** What a server answered to a call with it; absent where none was made. */
  readonly answer: { readonly url: string; readonly status: number } | undefined;
}

/** Obtains a credential as a Sidecar would, and makes a call with it where there is one to make. */
export async function prove(
  config: FirmaConfig,
  credential: CredentialConfig,
  probe: ServiceProbe | undefined,
): Promise<Result<Proof>> {
  const env = withHelperPath(Deno.env.toObject(), dirname(config.directory));
  const variable = (name: string) => env[name];
  const broker = new Broker({ credentials: [credential], variable });
  const { host, port } = credential.hosts[0]!;
  const issued = await broker.handOut({
    label: credential.label,
    edition: editionOf(credential),
    host,
    port,
    actionClass: credential.actionClasses[0] ?? "",
    resource: "",
    sessionId: "",
    agentId: "",
  });
  if (!issued.ok) return issued;
  const { provider, expiresAtMs } = issued.value;
  const found = { provider, expiresAtMs };
  if (probe === undefined) return ok({ ...found, answer: undefined });
  const status = await call(config, issued.value, host, port, probe);
  if (!status.ok) return status;
  const url = `https://${port === 443 ? host : `${host}:${port}`}${probe.path}`;
  if (status.value === 401 || status.value === 403) {
    return err({
      code: "CREDENTIAL_REFUSED",
      message: `Cannot use the credential "${credential.label}": ${url} answered ${status.value}`,
      cure: "make another secret at the service; this one is wrong, expired, or not for this",
    });
  }
  return ok({ ...found, answer: { url, status: status.value } });
}

const PATIENCE_MS = 30_000;

/** Makes one call the way that a Sidecar would make it: same address, same roots, same checks. */
async function call(
  config: FirmaConfig,
  issued: Issued,
  host: string,
  port: number,
  probe: ServiceProbe,
): Promise<Result<number>> {
  const known = await workerConfig(config);
  if (!known.ok) return known;
  const target = {
    scheme: "https",
    host,
    port,
    method: "GET",
    path: probe.path,
    query: "",
  } as const;
  const route = routeTo(target, known.value.connectors.find((each) => each.host === host));
  const watchdog = new Watchdog(250);
  const connector = new Connector(watchdog, DEFAULT_TIMEOUTS, DEFAULT_LIMITS);
  const late = setTimeout(() => connector.close(), PATIENCE_MS);
  try {
    const upstream = await connector.open(route);
    const made = upstream.call({
      method: "GET",
      scheme: "https",
      authority: port === 443 ? host : `${host}:${port}`,
      target: probe.path,
      fields: [
        ["accept", "*/*"],
        ["user-agent", "firma"],
        ...(probe.headers ?? []).map(([name, value]): [string, string] => [name, value]),
        ...issued.headers.map(([name, value]): [string, string] => [name, value]),
      ],
      spellings: undefined,
      takesTrailers: false,
      webSocket: false,
      body: undefined,
    }, { informed: () => {}, sent: () => {}, sentAll: () => {} });
    const { status } = await made.response;
    made.abort();
    return ok(status);
  } catch (cause) {
    const why = cause instanceof UpstreamFailure ? cause.message : "the call failed";
    return err({
      code: "CREDENTIAL_UNPROVEN",
      message: `Cannot try the credential "${issued.label}" at "${host}": ${why}`,
      cure: "--no-test adds it without trying it",
    });
  } finally {
    clearTimeout(late);
    await connector.close();
    watchdog.close();
  }
}
