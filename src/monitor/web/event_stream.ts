import { holdsBack } from "../../core/decision.ts";
import type { Watched } from "../live.ts";
import { overviewMessage, rowMessage } from "./messages.ts";

/** How many past rows a page begins with, and how many it may be behind. */
const MOST_ROWS = 1_000;
/** How often a page hears something at most, and how often at least, in milliseconds. */
const SOONEST_MS = 200;
const LATEST_MS = 1_000;

const encoder = new TextEncoder();

/**
 * A stream of server-sent events (WHATWG HTML, 9.2) for one page: `overview`
 * and `rows`. Nothing waits for a page that is slow: it has a place in the
 * board, and gets what is new since then, or the latest rows of it. `onEnd` is
 * called once when the page is gone or `closing` aborts.
 */
export function eventStream(
  live: Watched,
  closing: AbortSignal,
  onEnd: () => void,
): ReadableStream<Uint8Array> {
  const ended = new AbortController();
  ended.signal.addEventListener("abort", onEnd, { once: true });
  let lastN = Math.max(0, live.board.lastN - MOST_ROWS);
  let isFirst = true;
  let sentMs = 0;
  /** Rows that were sent before their calls ended, by number. */
  const open = new Set<number>();
  const end = () => {
    closing.removeEventListener("abort", end);
    ended.abort();
  };
  closing.addEventListener("abort", end, { once: true });

  const next = (): string => {
    const { board } = live;
    const first = Math.max(lastN, board.lastN - MOST_ROWS);
    const rows = board.rows.slice(firstIndex(board.rows, first + 1));
    const updates = [...open].flatMap((n) => {
      const row = board.row(n);
      if (row !== undefined && row.outcome === undefined) return [];
      open.delete(n);
      return row === undefined ? [] : [{ n, status: row.outcome!.status }];
    });
    for (const row of rows) {
      if (row.decisionId !== "" && row.outcome === undefined && !holdsBack(row.word)) {
        open.add(row.n);
      }
    }
    for (const n of open) {
      if (open.size <= MOST_ROWS) break;
      open.delete(n);
    }
    const skipped = first - lastN;
    lastN = board.lastN;
    const message = {
      reset: isFirst,
      skipped: isFirst ? 0 : skipped,
      rows: rows.map(rowMessage),
      updates,
    };
    const isNews = isFirst || rows.length > 0 || updates.length > 0;
    isFirst = false;
    return (isNews ? event("rows", message) : "") +
      event("overview", overviewMessage(live));
  };

  return new ReadableStream({
    async pull(controller) {
      if (!isFirst) await pause(live, ended.signal, sentMs);
      if (ended.signal.aborted) return controller.close();
      sentMs = performance.now();
      controller.enqueue(encoder.encode(next()));
    },
    cancel: end,
  }, { highWaterMark: 1 });
}

/** Waits for something new, not too short and not too long. */
async function pause(live: Watched, signal: AbortSignal, sentMs: number): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const wake = () => resolve();
  const latest = setTimeout(wake, LATEST_MS);
  let soon: ReturnType<typeof setTimeout> | undefined;
  const deaf = live.onChange(() => {
    soon ??= setTimeout(wake, Math.max(0, sentMs + SOONEST_MS - performance.now()));
  });
  signal.addEventListener("abort", wake, { once: true });
  await promise;
  signal.removeEventListener("abort", wake);
  deaf();
  clearTimeout(latest);
  clearTimeout(soon);
}

function firstIndex(rows: readonly { readonly n: number }[], n: number): number {
  return rows.length === 0 ? 0 : Math.max(0, n - rows[0]!.n);
}

/** One event; JSON has no line breaks. */
function event(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
