import type { SessionSecrets } from "../session_secrets.ts";
import { type LearntValue, shown } from "../store/rewrite_answer.ts";
import type { Json } from "../store/value_path.ts";
import { replaceOthers } from "./keep_values.ts";
import type { OutputForm } from "./store_command.ts";

/** A name in front of a value, as people write them below a password. */
const NAMED = /^([\w .-]{1,64}:[ \t]+)(.+)$/;

/**
 * What a store's program has printed, with placeholders for its values, which the session's agent
 * must not see from then on; `undefined` when it is not what it should be. `learnt` hears of each
 * value that is found in answers from then on.
 */
export function rewriteOutput(
  text: string,
  form: OutputForm,
  secrets: SessionSecrets,
  learnt: (value: LearntValue) => void,
): string | undefined {
  const replace = (value: string) => shown(value, secrets, learnt);
  const [, content = "", end = ""] = /^(.*?)(\r?\n?)$/s.exec(text)!;
  if (content === "") return undefined;
  switch (form.kind) {
    case "value":
      return replace(content) + end;
    case "lines":
      return rewriteLines(content, replace) + end;
    case "json": {
      const document = parse(content);
      if (document === undefined) return undefined;
      return JSON.stringify(replaceOthers(document, form.keep, replace), null, 2) + end;
    }
  }
}

/** Lines are values of their own where the ones behind the first have names; else all is one. */
function rewriteLines(content: string, replace: (value: string) => string): string {
  const [first = "", ...others] = content.split("\n");
  if (!others.every((line) => line.trim() === "" || NAMED.test(line))) return replace(content);
  const named = others.map((line) =>
    line.replace(NAMED, (_, name: string, value: string) => name + replace(value))
  );
  return [replace(first), ...named].join("\n");
}

function parse(content: string): Json | undefined {
  try {
    return JSON.parse(content) as Json;
  } catch {
    return undefined;
  }
}
