import type { NoticeLevel } from "../daemon/helper_process.ts";

/** How long the same words are not worth saying again, in milliseconds. */
const WINDOW_MS = 1_000;

/** Leaves out what was said a moment ago already: one fault may be found in many places. */
export function withoutRepeats(
  tell: (level: NoticeLevel, text: string) => void,
  now: () => number = () => performance.now(),
): (level: NoticeLevel, text: string) => void {
  let last = "";
  let lastAt = -Infinity;
  return (level, text) => {
    const isRepeat = text === last && now() - lastAt < WINDOW_MS;
    last = text;
    lastAt = now();
    if (!isRepeat) tell(level, text);
  };
}
