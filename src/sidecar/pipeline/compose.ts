import type { Denial, Draft, Stage } from "./draft.ts";

/**
 * Runs `stages` in order until one of them denies. The answer is there at once
 * unless a stage has to wait for something; what a stage throws, this throws.
 */
export function compose(...stages: readonly Stage[]): Stage {
  function runFrom(start: number, draft: Draft): ReturnType<Stage> {
    for (let i = start; i < stages.length; i++) {
      const said = stages[i]!(draft);
      if (said instanceof Promise) return said.then((denial) => denial ?? runFrom(i + 1, draft));
      if (said !== undefined) return said;
    }
    return undefined;
  }
  return (draft): Denial | undefined | Promise<Denial | undefined> => runFrom(0, draft);
}
