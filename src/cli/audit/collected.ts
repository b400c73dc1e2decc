import type { SearchClientOptions } from "../../authority/client/search_client.ts";
import { parseAuthorityConfig } from "../../config/authority_config.ts";
import { discoverConfig } from "../../config/discover.ts";
import { checkConfigFile, readConfigFile } from "../../config/load.ts";
import type { RemoteAuthorityConfig } from "../../config/keys/sidecar_authority.ts";
import { trustState } from "../../config/trust.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import { readCredentials } from "../../sidecar/authority_credentials.ts";

/**
 * How the Authority is reached that a search is for: at `url`, or where the configuration says that
 * it is. Certificates are those of `[sidecar.authority]`. A configuration that was only found, not
 * named, must be trusted: it says whom a certificate is shown to.
 */
export async function collectedAt(
  url: string | undefined,
  configFlag: string | undefined,
): Promise<Result<SearchClientOptions, readonly FirmaError[]>> {
  const env = Deno.env.toObject();
  const found = discoverConfig({ flag: configFlag, env, cwd: Deno.cwd() });
  if (!found.ok) return err([found.error]);
  if (found.value === undefined) {
    return url === undefined ? err([nowhere()]) : ok({ endpoints: [url] });
  }
  const file = readConfigFile(found.value.file);
  if (!file.ok) return err([file.error]);
  if (found.value.source === "directory" && trustState(file.value, env).state !== "trusted") {
    return url === undefined ? err([nowhere()]) : ok({ endpoints: [url] });
  }
  const config = checkConfigFile(file.value, env);
  const remote = config.ok ? config.value.sidecar.authority.remote : undefined;
  if (remote !== undefined) return await asSidecar(remote, url, env);
  if (url !== undefined) return ok({ endpoints: [url] });
  const authority = parseAuthorityConfig(file.value, env);
  if (!authority.ok) return authority;
  const { listen } = authority.value;
  return listen.kind === "unix" ? ok({ endpoints: [`unix://${listen.path}`] }) : err([nowhere()]);
}

async function asSidecar(
  remote: RemoteAuthorityConfig,
  url: string | undefined,
  env: Readonly<Record<string, string>>,
): Promise<Result<SearchClientOptions, readonly FirmaError[]>> {
  const credentials = remote.credentials && await readCredentials(remote.credentials, env);
  if (credentials?.ok === false) return err([credentials.error]);
  const { clientCertPath: certPath, clientKeyPath: keyPath, caCertPath: caPath } = remote;
  return ok({
    endpoints: url === undefined ? remote.urls : [url],
    connectAddr: url === undefined ? remote.connectAddr : undefined,
    tls: certPath && keyPath ? { certPath, keyPath, caPath } : undefined,
    credentials: credentials?.value,
  });
}

function nowhere(): FirmaError {
  return {
    code: "AUTHORITY_NOT_NAMED",
    message: "Cannot search what an Authority collected: no configuration says where it is",
    cure: "firma audit search --authority unix:///path/of/authority.sock, or --config with a url " +
      "and a certificate in [sidecar.authority]",
  };
}
