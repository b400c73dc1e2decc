import { err, type FirmaError, ok, type Result } from "../../../core/result.ts";
import type { CredentialNeed, CredentialProvider, HandOut } from "../../hand_out.ts";
import type { ProviderWorld } from "../provider_world.ts";
import type { ServiceAnswer, ServiceRequest } from "../service/ask.ts";
import { credentialFault } from "../service/fault.ts";
import { appToken, readAppKey } from "./app_token.ts";
import {
  type AppAccess,
  installationRequest,
  type InstallationToken,
  readInstallation,
  readToken,
  tokenRequest,
} from "./messages.ts";
import { type Permissions, permissionsFor, permissionsText } from "./permissions.ts";
import { parseRepository, type Repository } from "./repository.ts";

/** Options of {@linkcode githubApp}. */
export interface GithubAppOptions {
  /** Number of the App, or its client id. */
  readonly appId: string;
  /** File of the App's private key. */
  readonly keyFile: string;
  /** Without a slash at its end. */
  readonly apiUrl: string;
  /** The repository that calls which name none are taken for; they get to see its metadata alone. */
  readonly repository: string | undefined;
}

/** Installations by owner; one is asked for again after this long, in milliseconds. */
const KNOWN_MS = 600_000;
const MOST_KNOWN = 1_000;

/** The least that there is. */
const METADATA: Permissions = { metadata: "read" };

interface Demand {
  readonly repository: Repository;
  readonly permissions: Permissions;
}

/**
 * A GitHub App: for each repository and set of permissions a token of its own, which reaches nothing
 * else and lives an hour at most.
 */
export function githubApp(options: GithubAppOptions, world: ProviderWorld): CredentialProvider {
  const known = new Map<string, { readonly id: number; readonly untilMs: number }>();

  async function ask<T>(
    request: ServiceRequest,
    signal: AbortSignal,
    { refused, read }: {
      readonly refused: (status: number) => string;
      readonly read: (answer: ServiceAnswer) => Result<T, string>;
    },
  ): Promise<Result<T>> {
    const answer = await world.ask(request, signal);
    if (!answer.ok) return answer;
    const { status } = answer.value;
    if (status !== 200 && status !== 201) {
      return credentialFault("refused", options.apiUrl, refused(status));
    }
    const value = read(answer.value);
    return value.ok ? value : credentialFault("answer", options.apiUrl, value.error);
  }

  async function installationOf(
    access: AppAccess,
    repository: Repository,
    signal: AbortSignal,
  ): Promise<Result<number>> {
    const name = `${repository.owner}/${repository.name}`;
    const found = known.get(name);
    if (found !== undefined && found.untilMs > world.now()) return ok(found.id);
    const id = await ask(installationRequest(access, repository), signal, {
      refused: (status) =>
        status === 404
          ? `the App is not installed for "${name}"`
          : `it answered ${status} when asked for the installation of "${name}"`,
      read: readInstallation,
    });
    if (id.ok) {
      if (known.size >= MOST_KNOWN) known.clear();
      known.set(name, { id: id.value, untilMs: world.now() + KNOWN_MS });
    }
    return id;
  }

  return {
    kind: "github_app",

    scope(need) {
      const demand = demandOf(need, options);
      // A call that gets nothing shares that with nobody else's.
      if (!demand.ok) return `nothing for "${need.actionClass}" of "${need.resource}"`;
      const { repository: { owner, name }, permissions } = demand.value;
      const by = isApi(need, options) ? "" : ", as a password";
      return `${owner}/${name} ${permissionsText(permissions)}${by}`;
    },

    async obtain(need, signal): Promise<Result<HandOut, FirmaError>> {
      const demand = demandOf(need, options);
      if (!demand.ok) {
        return credentialFault("uncovered", options.apiUrl, demand.error);
      }
      const { repository, permissions } = demand.value;
      const pem = await world.readSecret(options.keyFile);
      if (!pem.ok) return pem;
      const key = readAppKey(pem.value);
      if (!key.ok) {
        return credentialFault(
          "secret",
          options.apiUrl,
          `"${options.keyFile}" is of no use: ${key.error}`,
        );
      }
      const { apiUrl, appId } = options;
      const access = { apiUrl, appToken: appToken(appId, key.value, world.now()) };
      const installation = await installationOf(access, repository, signal);
      if (!installation.ok) return installation;
      const request = tokenRequest(access, installation.value, repository, permissions);
      const token = await ask(request, signal, {
        refused: (status) => {
          known.delete(`${repository.owner}/${repository.name}`);
          return refusedToken(status, permissions);
        },
        read: (answer) => readToken(answer, demand.value, world.now()),
      });
      return token.ok ? ok(handOut(need, token.value, options)) : token;
    },
  };
}

function refusedToken(status: number, permissions: Permissions): string {
  const named = permissionsText(permissions);
  return status === 422
    ? `the App has not all of the permissions that the call needs (${named})`
    : `it answered ${status} when asked for a token with ${named}`;
}

function demandOf(need: CredentialNeed, options: GithubAppOptions): Result<Demand, string> {
  // Without a call, whoever asks wants to know whether a token is to be had.
  const permissions = need.actionClass === ""
    ? METADATA
    : permissionsFor(need.actionClass, need.subject);
  if (permissions === undefined) {
    return err(`no permission of one repository is known for "${need.actionClass}"`);
  }
  if (need.resource !== "") {
    const repository = parseRepository(need.resource);
    return repository
      ? ok({ repository, permissions })
      : err(`"${need.resource}" is no repository`);
  }
  const otherwise = options.repository && parseRepository(options.repository);
  if (!otherwise) return err("the call does not say which repository it is about");
  return ok({ repository: otherwise, permissions: METADATA });
}

/** The hosts of the interface take bearer tokens; git at any other takes a password alone. */
function isApi({ host }: CredentialNeed, { apiUrl }: GithubAppOptions): boolean {
  const api = new URL(apiUrl);
  if (!api.hostname.startsWith("api.")) return false; // Enterprise Server: one host for both
  return host === api.hostname || host === api.hostname.replace(/^api\./, "uploads.");
}

function handOut(
  need: CredentialNeed,
  { token, expiresAtMs }: InstallationToken,
  options: GithubAppOptions,
): HandOut {
  const basic = btoa(`x-access-token:${token}`);
  const value = isApi(need, options) ? `Bearer ${token}` : `Basic ${basic}`;
  return {
    label: need.label,
    headers: [["authorization", value]],
    secrets: [token, basic],
    expiresAtMs,
  };
}
