import { err, ok, type Result } from "../../../core/result.ts";
import type { ServiceAnswer, ServiceRequest } from "../service/ask.ts";
import { jsonAnswer, type JsonObject, member } from "../service/json_answer.ts";
import { expiryMs, secretToken } from "../service/token.ts";
import type { Permissions } from "./permissions.ts";
import type { Repository } from "./repository.ts";

/** Where an App is asked, and by what it is known there. */
export interface AppAccess {
  /** `https://api.github.com`, or that of an Enterprise Server. */
  readonly apiUrl: string;
  /** From {@linkcode appToken}. */
  readonly appToken: string;
}

function headers(token: string): Record<string, string> {
  return {
    accept: "application/vnd.github+json",
    authorization: `Bearer ${token}`,
    "content-type": "application/json",
    "user-agent": "firma",
    "x-github-api-version": "2022-11-28",
  };
}

/** Asks which installation of the App a repository belongs to. */
export function installationRequest(
  { apiUrl, appToken }: AppAccess,
  { owner, name }: Repository,
): ServiceRequest {
  const url = `${apiUrl}/repos/${owner}/${name}/installation`;
  return { method: "GET", url, headers: headers(appToken) };
}

/** The number of the installation. */
export function readInstallation(answer: ServiceAnswer): Result<number, string> {
  const body = jsonAnswer(answer);
  if (!body.ok) return body;
  const id = member(body.value, "id");
  if (typeof id !== "number" || !Number.isSafeInteger(id) || id <= 0) {
    return err("its answer has no number of an installation");
  }
  const suspended = member(body.value, "suspended_at");
  if (suspended !== undefined && suspended !== null) return err("the installation is suspended");
  return ok(id);
}

/** Asks for a token of one repository, with these permissions alone. */
export function tokenRequest(
  { apiUrl, appToken }: AppAccess,
  installation: number,
  { name }: Repository,
  permissions: Permissions,
): ServiceRequest {
  return {
    method: "POST",
    url: `${apiUrl}/app/installations/${installation}/access_tokens`,
    headers: headers(appToken),
    body: JSON.stringify({ repositories: [name], permissions }),
  };
}

/** An installation token. */
export interface InstallationToken {
  readonly token: string;
  readonly expiresAtMs: number;
}

/**
 * Reads the token, and holds what it may do against what was asked for: one that can do more, or
 * reaches another repository, is not handed to anybody.
 */
export function readToken(
  answer: ServiceAnswer,
  asked: { readonly repository: Repository; readonly permissions: Permissions },
  nowMs: number,
): Result<InstallationToken, string> {
  const body = jsonAnswer(answer);
  if (!body.ok) return body;
  const token = secretToken(member(body.value, "token"), "token");
  if (!token.ok) return token;
  const expiresAtMs = expiryMs(member(body.value, "expires_at"), "expires_at", nowMs);
  if (!expiresAtMs.ok) return expiresAtMs;
  if (!isNoMore(member(body.value, "permissions"), asked.permissions)) {
    return err("the token has other permissions than were asked for");
  }
  if (!isForOne(body.value, asked.repository)) {
    return err("the token is for other repositories than was asked for");
  }
  return ok({ token: token.value, expiresAtMs: expiresAtMs.value });
}

function isNoMore(granted: unknown, asked: Permissions): boolean {
  if (typeof granted !== "object" || granted === null) return false;
  return Object.entries(granted).every(([name, access]) => {
    const most = Object.hasOwn(asked, name) ? asked[name] : undefined;
    if (most === "write") return access === "write" || access === "read";
    return access === "read" && (most === "read" || name === "metadata");
  });
}

function isForOne(body: JsonObject, { owner, name }: Repository): boolean {
  if (member(body, "repository_selection") !== "selected") return false;
  const repositories = member(body, "repositories");
  if (repositories === undefined) return true;
  if (!Array.isArray(repositories) || repositories.length !== 1) return false;
  const { full_name: fullName } = Object(repositories[0]) as { full_name?: unknown };
  return typeof fullName === "string" && fullName.toLowerCase() === `${owner}/${name}`;
}
