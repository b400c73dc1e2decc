/** The keys of `firma.toml` that a Sidecar changes while it decides calls. */
import type { ConfigChange } from "../config/compare.ts";
import { filesOf as filesOfCredential } from "../config/keys/credentials/reach.ts";
import type { CredentialConfig } from "../config/keys/credentials/credential.ts";
import { dataDir, type Environment } from "../config/paths.ts";
import type { FirmaConfig } from "../config/schema.ts";
import { basename, dirname, join } from "../core/path.ts";
import type { FirmaError } from "../core/result.ts";
import { linksFrom } from "../sandbox/host_programs.ts";

/** All that is said of credentials. */
export const CREDENTIALS = "sidecar.credentials";

/** When a change comes into force in a Sidecar in which credentials can change, or not. */
export function appliesHere(
  { key, applies }: ConfigChange,
  canChange: boolean,
): ConfigChange["applies"] {
  return key === CREDENTIALS && !canChange ? "restart" : applies;
}

/** A configuration in which the keys that apply at once, credentials apart, are those of another. */
export function withLive(config: FirmaConfig, { sidecar: wanted }: FirmaConfig): FirmaConfig {
  const { sidecar } = config;
  const { interceptor, mapping, connector } = sidecar;
  return {
    ...config,
    sidecar: {
      ...sidecar,
      mapping: { ...mapping, ...wanted.mapping },
      interceptor: { ...interceptor, httpsMitm: wanted.interceptor.httpsMitm },
      connector: { ...connector, ...wanted.connector },
    },
  };
}

/** A configuration with other credentials. */
export function withCredentials(
  config: FirmaConfig,
  credentials: readonly CredentialConfig[],
): FirmaConfig {
  return { ...config, sidecar: { ...config.sidecar, credentials } };
}

/** What no sandbox lets an agent write, whoever runs it. */
const SYSTEM = [
  ...["/usr/bin/", "/usr/sbin/", "/usr/lib/", "/usr/libexec/", "/usr/local/bin/"],
  ...["/bin/", "/sbin/", "/nix/store/", "/etc/alternatives/"],
];

/**
 * Files that a change brings into force and that lie outside of the directory which
 * every sandbox hides: an agent that runs might write them, and nobody has checked
 * whether it can. What credentials come from may lie where firma keeps secrets, or be
 * a program of the system, as well.
 */
export function newFilesOutside(
  before: FirmaConfig,
  after: FirmaConfig,
  env: Environment,
): FirmaError[] {
  const own = asPlaces(after.directory);
  const places = [...own, ...asPlaces(dataDir(env)), ...SYSTEM];
  return [
    ...outside(filesOf(before), filesOf(after), own),
    ...outside(secretFilesOf(before), secretFilesOf(after), places),
  ].map((path) => ({
    code: "CONFIG_FILE_OUTSIDE",
    message: `Cannot use "${path}" in sessions that run: it lies outside of "${after.directory}"`,
    cure: "move it there, or end the Sidecar and start it again",
  }));
}

function outside(
  before: readonly string[],
  after: readonly string[],
  places: readonly string[],
): string[] {
  const isKnown = new Set(before);
  const isInside = (path: string) => places.some((place) => path.startsWith(place));
  // Each link on the way too: whoever may write one leads it to something else later.
  return after.filter((path) =>
    !isKnown.has(path) && ![...linksFrom(path), realPath(path)].every(isInside)
  );
}

/** A directory as it is named and as it is, as what paths in it begin with. */
function asPlaces(directory: string): string[] {
  return [`${directory}/`, `${realPath(directory)}/`];
}

function secretFilesOf({ sidecar }: FirmaConfig): string[] {
  return sidecar.credentials.flatMap(filesOfCredential);
}

function filesOf({ sidecar: { mapping, connector } }: FirmaConfig): string[] {
  return [
    ...mapping.rulesPaths,
    ...connector.hosts.map(({ caCertPath }) => caCertPath).filter((path) => path !== undefined),
  ];
}

function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    // Whoever reads it says that it is not there; what may be made there later is elsewhere.
    const parent = dirname(path);
    return parent === path ? path : join(realPath(parent), basename(path));
  }
}

/** Nobody has said that the edit is theirs. */
export function untrusted(file: string): FirmaError {
  return {
    code: "CONFIG_UNTRUSTED",
    message: `The edit of ${file} is not in force: nobody trusts it`,
    cure: `read it, then: firma trust ${file}`,
  };
}

/** Some keys hold from the next start on. */
export function waitingFor(file: string, keys: readonly string[]): FirmaError {
  return {
    code: "CONFIG_WAITS",
    message: `Cannot put ${keys.join(", ")} of "${file}" in force while the Sidecar runs`,
    cure: "end the Sidecar and start it again",
  };
}

/** The file is not what somebody meant who asked for it to be in force. */
export function notReached(file: string): FirmaError {
  return {
    code: "CONFIG_CHANGED",
    message: `Cannot say that "${file}" is in force: it is another one by now, or not read yet`,
    cure: "firma monitor shows what became of it",
  };
}
