import { withHelperPath } from "../broker/helper_path.ts";
import { programsOf, reachOf } from "../config/keys/credentials/reach.ts";
import type { FirmaConfig } from "../config/schema.ts";
import { basename, dirname } from "../core/path.ts";
import type { SecretStub } from "../sandbox/handoff.ts";
import type { HostProgram } from "../sandbox/host_programs.ts";
import type { EndOf } from "../secrets/sign_in_files.ts";
import { parseSignIn } from "../secrets/sign_in/kept_sign_in.ts";

/** What a sandbox may be made from, and what it must not show. */
export interface Surroundings {
  /** The environment of the host, without what the credential broker alone may see. */
  readonly hostEnv: Readonly<Record<string, string>>;
  /** Files that must read as nothing, wherever they lie. */
  readonly hiddenFiles: readonly string[];
  /** Variables that hold placeholders once there is a session. */
  readonly placeholders: readonly string[];
  /** Hosts with a configured credential. */
  readonly brokeredHosts: readonly string[];
  /** Programs of secret stores, which run outside. */
  readonly secretStubs: readonly SecretStub[];
  /** What runs outside for credentials and stores. */
  readonly hostPrograms: readonly HostProgram[];
  /** When a sign-in ends that agents' programs renew by themselves. */
  readonly endOf: EndOf;
}

/**
 * Takes the secrets of configured credentials and stores away from what an agent could be shown: a profile
 * passes `ANTHROPIC_API_KEY` on, unless calls get it from the broker.
 */
export function surroundings(
  { directory, sidecar: { credentials, cliSecretProviders: stores } }: FirmaConfig,
  env: Readonly<Record<string, string>>,
  capabilityFile: string | undefined,
): Surroundings {
  const reaches = credentials.map(reachOf);
  const placeholders = credentials.flatMap(({ agentVariables }) => agentVariables);
  // What the agent finds in a variable for a placeholder is that or nothing.
  const secret = new Set([
    ...reaches.flatMap(({ secretEnv }) => secretEnv),
    ...stores.flatMap(({ envPassthrough }) => envPassthrough),
    ...placeholders,
  ]);
  const programs = [
    ...stores.map(({ id, program }) => ({ path: program, owner: `the secret store "${id}"` })),
    ...credentials.flatMap((credential) =>
      programsOf(credential).map((path) => ({
        path,
        owner: `the credential "${credential.label}"`,
      }))
    ),
  ];
  return {
    hostEnv: secret.size === 0
      ? env
      : Object.fromEntries(Object.entries(env).filter(([name]) => !secret.has(name))),
    hiddenFiles: [
      ...(capabilityFile === undefined ? [] : [capabilityFile]),
      ...reaches.flatMap(({ read }) => read),
    ],
    placeholders,
    secretStubs: stores.map(({ id, program }) => ({ id, program, name: basename(program) })),
    hostPrograms: [...programs, ...searched(programs[0], env, dirname(directory))],
    endOf: ({ hosts: [host] }) => {
      const credential = credentials.find(({ hosts }) => hosts.some((each) => each.host === host));
      const { source } = credential ?? {};
      return source?.kind === "sign_in" ? endOfKept(source.settings.sign_in_file) : undefined;
    },
    brokeredHosts: [...new Set(credentials.flatMap(({ hosts }) => hosts.map(({ host }) => host)))],
  };
}

/** Where the programs that one starts by name are looked for. */
function searched(
  first: HostProgram | undefined,
  env: Readonly<Record<string, string>>,
  project: string,
): HostProgram[] {
  if (first === undefined) return [];
  const { PATH = "" } = withHelperPath(env, project);
  return PATH.split(":").filter((path) => path !== "")
    .map((path) => ({ path, owner: first.owner, isDirectory: true }));
}

/** Of the file, nothing else is looked at here. */
function endOfKept(path: string | undefined): number | undefined {
  try {
    return path === undefined ? undefined : parseSignIn(Deno.readTextFileSync(path))?.expiresAtMs;
  } catch {
    return undefined; // nobody has signed in yet
  }
}
