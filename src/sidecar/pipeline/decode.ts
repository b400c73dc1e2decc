import type { ContextValue, HttpCall } from "../../core/envelope.ts";
import type { Result } from "../../core/result.ts";
import type { MatchedRule } from "../../mapping/rule.ts";
import { found, type Stage } from "./draft.ts";

/** What a body says that the head of a call does not. */
export interface Decoded {
  readonly attributes: Readonly<Record<string, ContextValue>>;
  /** The rule, with a finer class where the body decides the class. */
  readonly rule: MatchedRule;
}

/** Reads the body of a call whose class or context depends on it. Pure. */
export type BodyDecoder = (
  call: HttpCall,
  rule: MatchedRule,
  headers: readonly (readonly [string, string])[],
  body: Uint8Array,
) => Result<Decoded>;

/**
 * Runs the decoder that the rule names. A decoder that does not exist, a body
 * beyond `limit` bytes and a body that cannot be read deny: what cannot be
 * understood must not be allowed for what it might be.
 */
export function decode(
  options: { readonly decoders: ReadonlyMap<string, BodyDecoder>; readonly limit: number },
): Stage {
  return (draft) => {
    const name = draft.rule?.decoder;
    if (name === undefined) return;
    const decoder = options.decoders.get(name);
    if (decoder === undefined) {
      return {
        reason: "FailClosed",
        detail: `mapping names decoder "${name}", which does not exist`,
      };
    }
    return draft.input.readBody(options.limit).then((body) => {
      if (body === undefined) {
        return {
          reason: "MalformedRequest" as const,
          detail:
            `body is larger than ${options.limit} bytes, decoder "${name}" must read it whole`,
        };
      }
      const rule = found(draft.rule, "rule");
      const decoded = decoder(found(draft.call, "call"), rule, draft.input.headers, body);
      if (!decoded.ok) {
        return { reason: "MalformedRequest" as const, detail: decoded.error.message };
      }
      draft.attributes = decoded.value.attributes;
      draft.rule = decoded.value.rule;
    });
  };
}
