import { err, ok, type Result } from "../core/result.ts";
import { socketPath } from "./authority_url.ts";
import { authorityAt } from "./keys/sidecar_authority.ts";
import type { FirmaConfig } from "./schema.ts";

/**
 * The configuration with another Authority than the one that it names: `"local"` for one in the
 * Sidecar's own process, else its checked URL. Keys, certificates and times stay as configured.
 */
export function overrideAuthority(
  config: FirmaConfig,
  authority: string | undefined,
): Result<FirmaConfig> {
  if (authority === undefined) return ok(config);
  const { sidecar } = config;
  const withRemote = (remote: FirmaConfig["sidecar"]["authority"]["remote"]): FirmaConfig => ({
    ...config,
    sidecar: { ...sidecar, authority: { ...sidecar.authority, remote } },
  });
  if (authority === "local") return ok(withRemote(undefined));
  const remote = sidecar.authority.remote ??
    { ...authorityAt(authority), publicKeyPath: `${config.authority.keyFile}.pub` };
  const isSocket = socketPath(authority) !== undefined;
  if (!isSocket && (remote.clientCertPath === undefined || remote.clientKeyPath === undefined)) {
    return err({
      code: "AUTHORITY_WITHOUT_CERTIFICATE",
      message: `Cannot use the Authority "${authority}": there is no certificate to show there`,
      cure: "name tls_client_cert_path and tls_client_key_path, beside url, in [sidecar.authority]",
      at: { file: config.file },
    });
  }
  // Where one Authority is dialled says nothing of where another is.
  const connectAddr = authority === remote.urls[0] ? remote.connectAddr : undefined;
  return ok(withRemote({ ...remote, urls: [authority], connectAddr }));
}
