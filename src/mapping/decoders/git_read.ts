import { ok } from "../../core/result.ts";
import { type Decoder, unreadable } from "./decoder.ts";
import { repositoryOf } from "./git_repository.ts";

/**
 * git's requests that change nothing: the list of refs before a fetch or a push, and
 * the fetch itself, in every version of the protocol. Tells policies which
 * repository it is; the class is the rule's.
 */
export const gitRead: Decoder = {
  reads: "nothing",
  decode({ call, rule }) {
    const repository = repositoryOf(call);
    if (!repository.ok) return unreadable("the git request", repository.error);
    const attributes = { ...repository.value, git_operation: "read" };
    return ok({ operations: [{ actionClass: rule.actionClass, attributes }] });
  },
};
