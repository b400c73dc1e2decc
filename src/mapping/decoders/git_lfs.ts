import { parseActionClass } from "../../core/action_class.ts";
import { ok } from "../../core/result.ts";
import { type Decoder, unreadable } from "./decoder.ts";
import { repositoryOf } from "./git_repository.ts";
import { isObject, parseJson } from "./json.ts";
import { expectType } from "./media_type.ts";
import { raised } from "./strictness.ts";

const WRITE = parseActionClass("code.write")!;
const WHAT = "the batch of large files";

/** A batch of large files (Git LFS): downloads are the rule's class, uploads write code. */
export const gitLfsBatch: Decoder = {
  reads: "whole",
  decode({ call, headers, body, rule }) {
    const repository = repositoryOf(call);
    if (!repository.ok) return unreadable(WHAT, repository.error);
    const type = expectType(headers, ["application/vnd.git-lfs+json", "application/json"]);
    if (!type.ok) return unreadable(WHAT, type.error);
    const json = parseJson(body);
    if (!json.ok) return unreadable(WHAT, json.error);
    const operation = isObject(json.value) ? json.value.get("operation") : undefined;
    if (operation !== "download" && operation !== "upload") {
      return unreadable(WHAT, "it says neither download nor upload");
    }
    const upload = operation === "upload";
    const attributes = { ...repository.value, git_operation: upload ? "update" : "read" };
    const actionClass = upload ? raised(rule.actionClass, WRITE) : rule.actionClass;
    return ok({ operations: [{ actionClass, attributes }] });
  },
};
