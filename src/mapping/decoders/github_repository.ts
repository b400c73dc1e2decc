import type { ContextValue, HttpCall } from "../../core/envelope.ts";
import { ok, type Result } from "../../core/result.ts";
import { type Decoder, unreadable } from "./decoder.ts";
import { HIDDEN_REF } from "./git_ref.ts";
import { HIDDEN_REPOSITORY, providerOf, repositoryAttributes } from "./git_repository.ts";

/** What the path of a call to GitHub's REST interface says. */
export interface RepositoryInPath {
  readonly attributes: Readonly<Record<string, ContextValue>>;
  /** What the call is about, and names by number or in its body. */
  readonly hidden: readonly string[];
  /** What follows the repository, without the first slash; absent on other paths. */
  readonly rest: string | undefined;
}

/** A repository by its number; an alias of the path with its name. */
const NUMBERED = /^\/repositories\/[0-9]+(?:\/(.*?))?\/?$/;
const REPOSITORY = /^\/repos\/([^/]+)\/([^/]+)(?:\/(.*?))?\/?$/;
/** Paths that name a repository in the middle. */
const ELSEWHERE =
  /^\/(?:agents\/repos|networks|user\/(?:starred|subscriptions)|(?:orgs\/[^/]+\/)?teams\/[^/]+\/repos|organizations\/[0-9]+\/team\/[0-9]+\/repos)\/([^/]+)\/([^/]+)(?:\/|$)/;
/** Reads that name a repository, or what belongs to one, by something else. */
const READS_BY_NUMBER =
  /\/repositories\/[^/]+$|^\/user\/codespaces\/(?!secrets(?:\/|$))|\/migrations\/|^\/search\/labels$/;
/** Writes that are about no repository, whatever their bodies hold. */
const NO_REPOSITORY =
  /^\/(?:gists|markdown|notifications)(?:\/|$)|^\/user(?:\/(?:blocks|emails?|following|gpg_keys|keys|social_accounts|ssh_signing_keys)(?:\/|$)|$)/;
/** Writes to a branch that the number of a pull request stands for. */
const REF_BY_NUMBER = /^pulls\/[^/]+\/(?:merge|merge-async|update-branch)$/;

/** The REST interface of GitHub where no body matters: which repository a call is about. */
export const githubRepository: Decoder = {
  reads: "nothing",
  decode({ call, rule }) {
    const repository = repositoryInPath(call);
    if (!repository.ok) return unreadable("the call to GitHub", repository.error);
    const { attributes, hidden } = repository.value;
    return ok({ operations: [{ actionClass: rule.actionClass, attributes, hidden }] });
  },
};

/** The path as api.github.com has it; Enterprise Server has it beneath another one. */
export function restPath({ path }: HttpCall): string {
  return path.replace(/^\/api\/v3(?=\/)/, "");
}

/**
 * The repository that a path names. A write outside of the paths of repositories may
 * name some in its body, by number mostly, so it counts as hiding them.
 */
export function repositoryInPath(call: HttpCall): Result<RepositoryInPath, string> {
  const path = restPath(call);
  const [, owner, name, rest = ""] = REPOSITORY.exec(path) ?? ELSEWHERE.exec(path) ?? [];
  const reads = call.method === "GET" || call.method === "HEAD";
  if (owner !== undefined && name !== undefined) {
    const named = repositoryAttributes(
      call.host,
      decodeURIComponent(owner),
      decodeURIComponent(name),
    );
    if (!named.ok) return named;
    const hidden = !reads && REF_BY_NUMBER.test(rest) ? HIDDEN_REF : [];
    const within = path.startsWith("/repos/") ? rest : undefined;
    return ok({ attributes: named.value, hidden, rest: within });
  }
  // A policy may ask for the provider first, so that is told wherever there is a repository.
  const provider = { git_provider: providerOf(call.host) };
  const [numbered, within] = NUMBERED.exec(path) ?? [];
  if (numbered !== undefined) {
    const hidesRef = !reads && REF_BY_NUMBER.test(within ?? "");
    const hidden = hidesRef ? [...HIDDEN_REPOSITORY, ...HIDDEN_REF] : HIDDEN_REPOSITORY;
    return ok({ attributes: provider, hidden, rest: within ?? "" });
  }
  const hides = reads ? READS_BY_NUMBER.test(path) : !NO_REPOSITORY.test(path);
  return hides
    ? ok({ attributes: provider, hidden: HIDDEN_REPOSITORY, rest: undefined })
    : ok({ attributes: {}, hidden: [], rest: undefined });
}
