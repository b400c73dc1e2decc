import { join } from "../../core/path.ts";
import type { AuthorityConfig } from "../../config/authority_config.ts";
import { CheckedContents } from "../../config/checked_contents.ts";
import { wasRemoved } from "../../config/policy_removals.ts";
import { dataDir, type Environment } from "../../config/paths.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import { loadOrCreateSigningKey, type SigningKey } from "../../pki/signing_key.ts";
import { identityDocuments } from "../identity/identity_issuer.ts";
import { LocalAuthority } from "../local_authority.ts";
import { openStore } from "../store/open_store.ts";
import { openCollection } from "../collect/open_collection.ts";
import { AuthorityServer, type Report } from "./service.ts";
import type { TlsFiles } from "./tls_files.ts";

/** An Authority that serves. */
export interface RunningService {
  /** Where it listens, as in `listen_addr`. */
  readonly address: string;
  /** Ends everything. */
  close(): Promise<void>;
}

/** The Authority that a configuration describes, without anything that listens. */
export async function openAuthority(
  config: AuthorityConfig,
  env: Environment,
  registeredAgentsOnly: boolean,
  report: Report,
): Promise<Result<{ authority: LocalAuthority; key: SigningKey }, readonly FirmaError[]>> {
  const key = await loadOrCreateSigningKey(config.keyFile);
  if (!key.ok) return err([key.error]);
  const onNotice = (notice: FirmaError) => report("warn", notice.message);
  const authority = await LocalAuthority.open({
    ...config,
    openStore: () => openStore(config, { env, signingKey: key.value, onNotice }),
    registeredAgentsOnly,
    signingKey: key.value,
    known: new CheckedContents(join(dataDir(env), "checked")),
    wasRemoved: (removed) => wasRemoved(config.projectDataDir, removed),
    onNotice,
  });
  return authority.ok ? ok({ authority: authority.value, key: key.value }) : authority;
}

/** Starts the Authority that a configuration describes, and says what it does on the way. */
export async function startService(
  config: AuthorityConfig,
  env: Environment,
  report: Report,
): Promise<Result<RunningService, readonly FirmaError[]>> {
  report("info", `config loaded: ${config.file}`);
  const tls = tlsFiles(config);
  if (!tls.ok) return err([tls.error]);
  const opened = await openAuthority(config, env, true, report);
  if (!opened.ok) return opened;
  const { authority, key } = opened.value;
  const { version, policies, revision } = authority.bundle!;
  report(
    "info",
    `policy bundle loaded: version ${version}, revision ${revision}, files ${policies.length}`,
  );
  const audit = await openCollection(config, env, report);
  if (!audit.ok) {
    await authority.close();
    return err([audit.error]);
  }
  const server = await AuthorityServer.start({
    authority,
    audit: audit.value?.parts,
    signingKey: key,
    listen: config.listen,
    tls: tls.value,
    preSharedKeysPath: config.preSharedKeysPath,
    identity: publicIdentity(config),
    report,
  });
  if (!server.ok) {
    await audit.value?.close();
    await authority.close();
    return server;
  }
  report("info", `listening on ${server.value.address}`);
  const { documentsAddress } = server.value;
  if (documentsAddress !== undefined) {
    report("info", `serving the keys of ID tokens on ${documentsAddress}`);
  }
  return ok({
    address: server.value.address,
    close: async () => {
      await server.value.close();
      await audit.value?.close();
      await authority.close();
    },
  });
}

/** What is served of ID tokens, and where. */
function publicIdentity({ identity, identityListen: listen }: AuthorityConfig) {
  if (identity === undefined || listen === undefined) return undefined;
  return { listen, documents: () => identityDocuments(identity, Date.now()) };
}

/** The four files of mutual TLS: for TCP all, for a socket none is needed. */
function tlsFiles(config: AuthorityConfig): Result<TlsFiles | undefined> {
  if (config.listen.kind === "unix") return ok(undefined);
  const keys = {
    tls_cert_path: config.tlsCertPath,
    tls_key_path: config.tlsKeyPath,
    mtls_client_ca_cert_path: config.clientCaCertPath,
    authorized_clients_path: config.authorizedClientsPath,
  };
  const missing = Object.entries(keys).filter(([, path]) => path === undefined)
    .map(([name]) => name);
  const { tlsCertPath, tlsKeyPath, clientCaCertPath, authorizedClientsPath } = config;
  if (tlsCertPath && tlsKeyPath && clientCaCertPath && authorizedClientsPath) {
    return ok({
      certPath: tlsCertPath,
      keyPath: tlsKeyPath,
      clientCaPath: clientCaCertPath,
      authorizedClientsPath,
    });
  }
  return err({
    code: "TLS_REQUIRED",
    message: `Cannot listen on TCP without mutual TLS, or any user of this machine could ask for ` +
      `tokens: [authority] has no ${missing.join(", ")}`,
    cure: "firma authority init-tls makes all four; or leave listen_addr out for a socket",
  });
}
