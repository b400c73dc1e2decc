import type { ContextValue, HttpCall } from "../../core/envelope.ts";
import { ok, type Result } from "../../core/result.ts";
import { type Decoder, unreadable } from "./decoder.ts";
import { HIDDEN_REF } from "./git_ref.ts";
import { HIDDEN_REPOSITORY, repositoryAttributes } from "./git_repository.ts";

/** What the path of a call to GitHub's REST interface says. */
export interface RepositoryInPath {
  readonly attributes: Readonly<Record<string, ContextValue>>;
  /** What the call is about, and names by number or in its body. */
  readonly hidden: readonly string[];
  /** What follows the repository, without the first slash; absent on other paths. */
  readonly rest: string | undefined;
}

const REPOSITORY = /^\/repos\/([^/]+)\/([^/]+)(?:\/(.*?))?\/?$/;
/** Paths that name a repository in the middle. */
const ELSEWHERE =
  /^\/(?:agents\/repos|networks|user\/(?:starred|subscriptions)|(?:orgs\/[^/]+\/)?teams\/[^/]+\/repos)\/([^/]+)\/([^/]+)(?:\/|$)/;
/** Reads that name a repository, or what belongs to one, by something else. */
const READS_BY_NUMBER =
  /^\/repositories\/|\/repositories\/[^/]+$|^\/user\/codespaces\/(?!secrets(?:\/|$))|\/migrations\/|^\/search\/labels$/;
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
  const hides = reads ? READS_BY_NUMBER.test(path) : !NO_REPOSITORY.test(path);
  return ok({ attributes: {}, hidden: hides ? HIDDEN_REPOSITORY : [], rest: undefined });
}
