import type { Watched } from "../live.ts";

/** `rule/<approval>/<verb>` below the page. */
const PATH = /^rule\/(apr_[0-9a-z]{26})\/(approve|deny)$/;

/** Does what a button of the page says; an answer with status and words for it. */
export async function answerRule(
  live: Pick<Watched, "rule">,
  path: string,
): Promise<{ readonly status: number; readonly text: string }> {
  const [, id, verb] = PATH.exec(path) ?? [];
  if (id === undefined) return { status: 404, text: "there is no such page" };
  const ruled = await live.rule(id, verb === "approve" ? "approve" : "deny", "web");
  if (!ruled.ok) return { status: 409, text: ruled.error.message };
  return { status: 200, text: `${ruled.value.state} ${id}` };
}
