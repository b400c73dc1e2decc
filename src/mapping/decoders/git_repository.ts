import type { ContextValue, HttpCall } from "../../core/envelope.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { quote } from "../malformed.ts";
import { LONGEST_ATTRIBUTE } from "./text.ts";

const PROVIDERS: Readonly<Record<string, string>> = {
  "github.com": "github",
  "gist.github.com": "github",
  "api.github.com": "github",
  "uploads.github.com": "github",
  "gitlab.com": "gitlab",
  "bitbucket.org": "bitbucket",
  "codeberg.org": "codeberg",
};

/** What git's HTTP protocol and that of large files have behind the path of a repository. */
const SERVICE = /\/(?:info\/refs|git-upload-pack|git-receive-pack|info\/lfs\/.*)$/;

/** The attributes of a repository that is named by a number or an identifier. */
export const HIDDEN_REPOSITORY: readonly string[] = ["git_owner", "git_repo"];

/** The name of a code host, such as `github`; its host where it has no better name. */
export function providerOf(host: string): string {
  return Object.hasOwn(PROVIDERS, host) ? PROVIDERS[host]! : host;
}

/**
 * What policies are told about a repository. Hosts compare names without case and
 * serve a repository with and without `.git`, so both are brought to one form.
 */
export function repositoryAttributes(
  host: string,
  owner: string,
  repository: string,
): Result<Readonly<Record<string, ContextValue>>, string> {
  const repo = repository.toLowerCase().replace(/\.git$/, "");
  if (repo.endsWith(".git")) return err(`${quote(repository)} has ".git" twice`);
  if (repo === "") return err("the repository has no name");
  if (owner.length + repo.length > LONGEST_ATTRIBUTE) {
    return err("the repository's name is too long");
  }
  return ok({ git_provider: providerOf(host), git_owner: owner.toLowerCase(), git_repo: repo });
}

/**
 * The repository that a call of git's HTTP protocol is about. Groups within groups
 * count as one owner with slashes in it; a gist has no owner in its address.
 */
export function repositoryOf(
  call: HttpCall,
): Result<Readonly<Record<string, ContextValue>>, string> {
  const service = SERVICE.exec(call.path);
  if (service === null) return err("the path names no service of git");
  let path: string;
  try {
    path = decodeURIComponent(call.path.slice(1, service.index));
  } catch {
    return err("the path is not UTF-8");
  }
  const slash = path.lastIndexOf("/");
  return repositoryAttributes(call.host, path.slice(0, Math.max(slash, 0)), path.slice(slash + 1));
}
