import { dirname } from "../core/path.ts";
import type { RemoteAuthority } from "../authority/client/remote_authority.ts";
import { checkKnownBundle } from "../authority/check_known_bundle.ts";
import { LocalAuthority } from "../authority/local_authority.ts";
import { digestMapping } from "../authority/mapping_digest.ts";
import { MemoryStore } from "../authority/store/memory_store.ts";
import type { CheckedContents } from "../config/checked_contents.ts";
import { type Environment, projectDataDir } from "../config/paths.ts";
import { wasRemoved } from "../config/policy_removals.ts";
import type { FirmaConfig } from "../config/schema.ts";
import type { Authority } from "../core/authority.ts";
import type { PolicyBundle } from "../core/policy_bundle.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { loadOrCreateSigningKey, readPublicKeyFile } from "../pki/signing_key.ts";
import { offerCedar, readCedar } from "../policy/cedar_module.ts";
import { readCredentials } from "./authority_credentials.ts";
import { errorLine, type Notify } from "./notices.ts";
import { RevocationHearing } from "./revocation_hearing.ts";

/** The Authority of a Sidecar. */
export interface OpenedAuthority {
  readonly authority: Authority;
  /** Checks a bundle of it, where that was not done in this process already. */
  readonly check?: (bundle: PolicyBundle) => Promise<Result<void, readonly FirmaError[]>>;
  /** Resolves as `begun` does, or to an error when nothing is heard of the Authority for too long. */
  heard(begun: Promise<Result<void, readonly FirmaError[]>>): typeof begun;
  close(): Promise<void>;
}

type Opened = Result<OpenedAuthority, readonly FirmaError[]>;

/**
 * Opens the Authority that `config` names: one of this process, or one that serves many Sidecars.
 * `onHearing` is told when calls are to be denied because revocations are unheard, and when no more;
 * `rulesPaths` gives the mappings in force.
 */
export function openAuthority(
  config: FirmaConfig,
  env: Environment,
  known: CheckedContents,
  notify: Notify,
  onHearing: (areHeard: boolean) => void,
  rulesPaths: () => readonly string[],
): Promise<Opened> {
  return config.sidecar.authority.remote === undefined
    ? openLocal(config, env, known, notify)
    : openRemote(
      config.sidecar.authority.remote,
      env,
      known,
      notify,
      onHearing,
      rulesPaths,
    );
}

async function openLocal(
  { authority: config, file }: FirmaConfig,
  env: Environment,
  known: CheckedContents,
  notify: Notify,
): Promise<Opened> {
  const key = await loadOrCreateSigningKey(config.keyFile);
  if (!key.ok) return err([key.error]);
  // Where it is missing, the first revocation of the project would have nowhere to go.
  const { revocationFile } = config;
  await Deno.mkdir(dirname(revocationFile), { recursive: true, mode: 0o700 }).catch(() => {});
  const onNotice = (notice: FirmaError) => notify("warn", errorLine(notice));
  const authority = await LocalAuthority.open({
    ...config,
    openStore: () => MemoryStore.open({ revocationFile, onNotice }),
    agentNamed: async (name) => {
      // Seldom wanted, so that not every start loads it.
      const { agentRegistry } = await import("../authority/store/agent_file.ts");
      const agents = await agentRegistry(projectDataDir(env, file)).read();
      return agents.values().find((agent) => agent.name === name);
    },
    signingKey: key.value,
    known,
    wasRemoved: (removed) => wasRemoved(projectDataDir(env, file), removed),
    onNotice,
  });
  if (!authority.ok) return authority;
  const { value } = authority;
  return ok({ authority: value, heard: (begun) => begun, close: () => value.close() });
}

type RemoteConfig = NonNullable<FirmaConfig["sidecar"]["authority"]["remote"]>;

async function openRemote(
  remote: RemoteConfig,
  env: Environment,
  known: CheckedContents,
  notify: Notify,
  onHearing: (areHeard: boolean) => void,
  rulesPaths: () => readonly string[],
): Promise<Opened> {
  const key = await readPublicKeyFile(remote.publicKeyPath);
  if (!key.ok) {
    const cure = "copy <key_file>.pub from the Authority, and name it in public_key_path";
    return err([{ ...key.error, cure }]);
  }
  const credentials = remote.credentials && await readCredentials(remote.credentials, env);
  if (credentials?.ok === false) return err([credentials.error]);
  // gRPC and its messages take time to load, which only those pay who use them.
  const { RemoteAuthority } = await import("../authority/client/remote_authority.ts");
  const { clientCertPath: certPath, clientKeyPath: keyPath, caCertPath: caPath } = remote;
  const hearing = remote.revocationFailClosed
    ? new RevocationHearing(remote.revocationGraceMs, (areHeard) => {
      if (areHeard) notify("info", "The Authority's revocations can be heard: calls are decided");
      else notify("error", "The Authority's revocations cannot be heard: every call is denied");
      onHearing(areHeard);
    })
    : undefined;
  const authority = await RemoteAuthority.open({
    endpoints: remote.urls,
    connectAddr: remote.connectAddr,
    publicKey: key.value,
    tls: certPath && keyPath ? { certPath, keyPath, caPath } : undefined,
    credentials: credentials?.value,
    connectTimeoutMs: remote.connectTimeoutMs,
    minBackoffMs: remote.minBackoffMs,
    maxBackoffMs: remote.maxBackoffMs,
    onRevocationsHeard: (areHeard) => hearing?.note(areHeard),
    onNotice: notify,
  });
  if (!authority.ok) return err([authority.error]);
  offerCedar(readCedar);
  const value = opened(authority.value, rulesPaths, remote, known, notify);
  return ok({
    ...value,
    close: async () => {
      hearing?.close();
      await value.close();
    },
  });
}

function opened(
  authority: RemoteAuthority,
  rulesPaths: () => readonly string[],
  { urls, connectTimeoutMs }: RemoteConfig,
  known: CheckedContents,
  notify: Notify,
): OpenedAuthority {
  const onWarning = (warning: FirmaError) => notify("warn", errorLine(warning));
  return {
    authority,
    async check(bundle) {
      // Here and not by the data plane, which would decide nothing meanwhile.
      const checked = checkKnownBundle(bundle, { known, onWarning });
      if (checked.ok && await isForOtherMapping(bundle, rulesPaths())) {
        notify("warn", "The Authority's policies were written for other mapping rules than ours");
      }
      return checked;
    },
    heard: async (begun) => {
      const { promise: late, resolve } = Promise.withResolvers<undefined>();
      const timer = setTimeout(resolve, connectTimeoutMs, undefined);
      const result = await Promise.race([begun, late]);
      clearTimeout(timer);
      return result ?? err([unheard(urls, connectTimeoutMs)]);
    },
    close: () => authority.close(),
  };
}

async function isForOtherMapping(
  { mappingDigest }: PolicyBundle,
  rulesPaths: readonly string[],
): Promise<boolean> {
  if (mappingDigest === undefined) return false;
  const own = await digestMapping(rulesPaths);
  return own.ok && own.value !== mappingDigest;
}

function unheard(urls: readonly string[], waitedMs: number): FirmaError {
  return {
    code: "AUTHORITY_UNREACHABLE",
    message: `Cannot start without the Authority at ${urls.map((url) => `"${url}"`).join(", ")}: ` +
      `nothing was heard of it within ${waitedMs / 1000} s`,
    cure: "start it; where it runs, its output says whether it refuses this client, and why",
  };
}
