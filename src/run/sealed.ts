import { basename, dirname, join } from "../core/path.ts";
import { socketPath } from "../config/authority_url.ts";
import { configDirectories } from "../config/discover.ts";
import { dataDir, type Environment, stateDir } from "../config/paths.ts";
import { filesOf } from "../config/keys/credentials/reach.ts";
import type { OperatorFile } from "../config/operator_files.ts";
import type { FirmaConfig } from "../config/schema.ts";
import { trustRecords } from "../config/trust.ts";
import { err, ok, type Result } from "../core/result.ts";
import { isWithin } from "../sandbox/paths.ts";
import type { PreparedConfig } from "./prepare.ts";

/** The path without symbolic links; of what does not exist, as far as its parents do. */
function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPath(parent), basename(path));
  }
}

/** What an agent could use to widen what it may do, or to hide what it did. */
function controlFiles(
  config: FirmaConfig,
  files: readonly OperatorFile[],
): { readonly name: string; readonly path: string }[] {
  const { authority, sidecar } = config;
  return [
    ...files.map(({ kind, path }) => ({ name: `the ${kind}`, path })),
    { name: "the configuration", path: config.file },
    { name: "authority.policy_dir", path: authority.policyDir },
    { name: "authority.issuance_policy_dir", path: authority.issuancePolicyDir },
    { name: "authority.revocation_file", path: authority.revocationFile },
    { name: "authority.key_file", path: authority.keyFile },
    ...authority.otherFiles.map(({ key, path }) => ({ name: `authority.${key}`, path })),
    ...remoteFiles(config),
    ...sidecar.mapping.rulesPaths.map((path) => ({ name: "sidecar.mapping.rules_paths", path })),
    ...sidecar.localExec.rulesPaths.map((path) => ({
      name: "sidecar.local_exec.rules_paths",
      path,
    })),
    ...[config.run.seccomp.policyPath ?? []].flat()
      .map((path) => ({ name: "run.seccomp.policy", path })),
    { name: "sidecar.audit.file_path", path: sidecar.audit.filePath },
    ...collectorFiles(config),
    ...[sidecar.audit.signingKeyPath ?? []].flat()
      .map((path) => ({ name: "sidecar.audit.signing_key_path", path })),
    ...sidecar.connector.hosts.flatMap(({ caCertPath }) =>
      caCertPath ? [{ name: "ca_cert_path", path: caCertPath }] : []
    ),
    ...sidecar.credentials.flatMap((credential) => {
      const name = `sidecar.credentials.${credential.label}`;
      return filesOf(credential).map((path) => ({ name, path }));
    }),
  ];
}

/** With these an agent could read, or lead elsewhere, what the log says of it. */
function collectorFiles(
  { sidecar }: FirmaConfig,
): { readonly name: string; readonly path: string }[] {
  const { otlp } = sidecar.audit.shipping;
  const named = [
    ["headers_file", otlp?.headers?.from === "file" ? otlp.headers.path : undefined],
    ["ca_cert_path", otlp?.caCertPath],
    ["tls_client_cert_path", otlp?.clientCertPath],
    ["tls_client_key_path", otlp?.clientKeyPath],
  ] as const;
  return named.flatMap(([key, path]) =>
    path === undefined ? [] : [{ name: `sidecar.audit.otlp.${key}`, path }]
  );
}

/** With these an agent could be somebody else to an Authority, or be an Authority. */
function remoteFiles({ sidecar }: FirmaConfig): { readonly name: string; readonly path: string }[] {
  const { remote } = sidecar.authority;
  if (remote === undefined) return [];
  const preSharedKey = remote.credentials?.key;
  const keyFile = preSharedKey?.from === "file" ? preSharedKey.path : undefined;
  const named = [
    ["public_key_path", remote.publicKeyPath],
    ["ca_cert_path", remote.caCertPath],
    ["tls_client_cert_path", remote.clientCertPath],
    ["tls_client_key_path", remote.clientKeyPath],
    ["credentials.pre_shared_key_path", keyFile],
    ...remote.urls.map((url) => ["url", socketPath(url)] as const),
  ] as const;
  return named.flatMap(([key, path]) =>
    path === undefined ? [] : [{ name: `sidecar.authority.${key}`, path }]
  );
}

/**
 * The directories that the sandbox has to hide from an agent working in `cwd`:
 * every `.firma` it could meet, those of other trusted projects within its
 * reach (it could plant a policy for their next run), keys, log and run state.
 *
 * Fails when hiding is not possible: `cwd` lies in one of them, or a file that
 * the boundary rests on lies where the agent writes.
 */
export function sealedDirectories(
  cwd: string,
  { config, files }: PreparedConfig,
  env: Environment,
): Result<string[]> {
  const workspace = realPath(cwd);
  const projects = trustRecords(env)
    .map(({ path }) => dirname(path))
    .filter((directory) => isWithin(directory, workspace) && directory !== workspace);
  const own = isWithin(workspace, config.directory) ? [] : [config.directory];
  const sealed = [
    ...configDirectories(workspace, env.HOME),
    ...own,
    ...projects,
    dataDir(env),
    stateDir(env),
  ].map(realPath);

  const around = sealed.find((directory) => isWithin(workspace, directory));
  if (around) {
    return err({
      code: "WORKSPACE_SEALED",
      message: `Cannot run in "${cwd}": it lies in "${around}", which no agent may see`,
      cure: "change to the directory of your project",
    });
  }
  for (const { name, path } of controlFiles(config, files)) {
    const real = realPath(path);
    if (!isWithin(real, workspace) || sealed.some((directory) => isWithin(real, directory))) {
      continue;
    }
    return err({
      code: "CONTROL_FILE_EXPOSED",
      message: `Cannot use ${name} "${path}": the agent could write it`,
      cure: `move it into "${join(cwd, ".firma")}" or out of "${cwd}"`,
      at: { file: config.file },
    });
  }
  return ok([...new Set(sealed)]);
}
