import { type CheckedLines, checkLines } from "./check_lines.ts";
import type { LineChecker } from "./line_checker.ts";
import { lineBlocks } from "./lines.ts";
import type { LogPart } from "./log_parts.ts";
import type { LogWalk } from "./log_walk.ts";
import type { Break } from "./verify.ts";

/** Lines that are checked in one go take some tens of milliseconds. */
const BLOCK_BYTES = 512 * 1024;
const NEWLINE = 0x0a;

interface Pending {
  readonly bytes: number;
  readonly checked: Promise<CheckedLines>;
}

/**
 * Walks through one file of a log, blocks being checked at the same time and joined in order.
 * Returns what breaks the log in it. Throws what reading throws.
 */
export async function walkPart(
  part: LogPart,
  walk: LogWalk,
  checker: LineChecker,
  publicKeys: readonly Uint8Array[],
  onProgress: (doneBytes: number) => void,
): Promise<Break | undefined> {
  const pending: Pending[] = [];
  let done = 0;
  const joinNext = async (): Promise<Break | undefined> => {
    const { bytes, checked } = pending.shift()!;
    const broken = walk.join(await checked, false);
    onProgress(done += bytes);
    return broken;
  };
  const joinUntil = async (waiting: number): Promise<Break | undefined> => {
    while (pending.length > waiting) {
      const broken = await joinNext();
      if (broken !== undefined) return broken;
    }
  };
  walk.enter(part.path);
  let isFileStart = true;
  try {
    for await (const { bytes: block, terminated } of lineBlocks(part.open(), BLOCK_BYTES)) {
      if (!terminated) return await joinUntil(0) ?? walk.torn();
      let bytes = block;
      if (isFileStart && !walk.isSkimming) {
        // By itself: what follows depends on what it says.
        const end = bytes.indexOf(NEWLINE) + 1;
        const broken = walk.join(checkLines(bytes.subarray(0, end), publicKeys), true);
        if (broken !== undefined) return broken;
        bytes = bytes.subarray(end);
      }
      isFileStart = false;
      if (walk.isSkimming) {
        const rest = walk.skim(bytes);
        if (!(rest instanceof Uint8Array)) return rest;
        bytes = rest;
      }
      if (bytes.length === 0) continue;
      pending.push({ bytes: block.length, checked: checker.check(bytes) });
      const broken = await joinUntil(checker.lookahead - 1);
      if (broken !== undefined) return broken;
    }
    return await joinUntil(0);
  } finally {
    for (const { checked } of pending) checked.catch(() => {}); // behind a break, nobody asks
  }
}
