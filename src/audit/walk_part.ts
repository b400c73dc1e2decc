import { type CheckedLines, checkLines } from "./check_lines.ts";
import type { KnownKeys } from "./known_keys.ts";
import type { LineChecker } from "./line_checker.ts";
import { type FoundLine, lineMembers, linesWith } from "./line_members.ts";
import { lineBlocks } from "./lines.ts";
import type { LogPart } from "./log_parts.ts";
import type { LogWalk } from "./log_walk.ts";
import type { Break } from "./verify.ts";

/** Lines that are checked in one go take some milliseconds. */
const BLOCK_BYTES = 256 * 1024;
const NEWLINE = 0x0a;

interface Pending {
  readonly bytes: number;
  readonly checked: Promise<CheckedLines>;
}

// An agent cannot write this into a line: there its quotes are escaped.
const KEY_EVENTS = ['"kind":"key"'];

/** The lines that say which keys may sign. */
function keyChanges(bytes: Uint8Array<ArrayBuffer>): readonly FoundLine[] {
  return linesWith(KEY_EVENTS, bytes).filter(({ line }) => {
    const { change } = lineMembers(line);
    return change === "handed_over" || change === "certified";
  });
}

/**
 * Walks through one file of a log, blocks being checked at the same time and joined in order.
 * Returns what breaks the log in it. Throws what reading throws.
 */
export async function walkPart(
  part: LogPart,
  walk: LogWalk,
  checker: LineChecker,
  keys: KnownKeys,
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
  /** Checks a line on this thread, when all before it are joined. */
  const joinAlone = (line: Uint8Array, isFileStart: boolean): Break | undefined => {
    const members = lineMembers(line);
    const broken = walk.join(checkLines(line, keys.forLine(members)), isFileStart);
    if (broken === undefined) keys.learn(members);
    return broken;
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
        const broken = joinAlone(bytes.subarray(0, end), true);
        if (broken !== undefined) return broken;
        bytes = bytes.subarray(end);
      }
      isFileStart = false;
      if (walk.isSkimming) {
        const rest = walk.skim(bytes);
        if (!(rest instanceof Uint8Array)) return rest;
        // The earlier checkpoint vouches for what they say.
        for (const { line } of keyChanges(bytes.subarray(0, bytes.length - rest.length))) {
          keys.forLine(lineMembers(line));
          keys.learn(lineMembers(line));
        }
        bytes = rest;
      }
      let start = 0;
      // What may sign behind such a line depends on it.
      for (const { line, at } of keyChanges(bytes)) {
        const before = bytes.slice(start, at);
        if (before.length > 0) {
          pending.push({ bytes: before.length, checked: checker.check(before, keys.inForce) });
        }
        const broken = await joinUntil(0) ?? joinAlone(line, false);
        if (broken !== undefined) return broken;
        start = at + line.length;
      }
      if (start === bytes.length) continue;
      const rest = start === 0 ? bytes : bytes.slice(start);
      pending.push({ bytes: rest.length, checked: checker.check(rest, keys.inForce) });
      const broken = await joinUntil(checker.lookahead - 1);
      if (broken !== undefined) return broken;
    }
    return await joinUntil(0);
  } finally {
    for (const { checked } of pending) checked.catch(() => {}); // behind a break, nobody asks
  }
}
