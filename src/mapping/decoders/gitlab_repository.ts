import { ok } from "../../core/result.ts";
import { type Decoder, unreadable } from "./decoder.ts";
import { HIDDEN_REPOSITORY, providerOf, repositoryAttributes } from "./git_repository.ts";

const WHAT = "the call to GitLab";
const PROJECT = /^\/api\/v4\/projects\/([^/]+)(?:\/|$)/;

/**
 * The REST interface of GitLab: which project a call is about. A project is named by
 * number or by its path with encoded slashes; a number hides it.
 */
export const gitlabRepository: Decoder = {
  reads: "nothing",
  decode({ call, rule: { actionClass } }) {
    const [, project] = PROJECT.exec(call.path) ?? [];
    if (project === undefined) return ok({ operations: [{ actionClass, attributes: {} }] });
    let path: string;
    try {
      path = decodeURIComponent(project);
    } catch {
      return unreadable(WHAT, "the project is not UTF-8");
    }
    const slash = path.lastIndexOf("/");
    // A project is always in a group or with a user, so a name alone is a number.
    if (slash < 0) {
      const attributes = { git_provider: providerOf(call.host) };
      return ok({ operations: [{ actionClass, attributes, hidden: HIDDEN_REPOSITORY }] });
    }
    const named = repositoryAttributes(call.host, path.slice(0, slash), path.slice(slash + 1));
    if (!named.ok) return unreadable(WHAT, named.error);
    return ok({ operations: [{ actionClass, attributes: named.value }] });
  },
};
