import type { Exchange } from "./exchange.ts";
import type { HttpTimeouts } from "./http_options.ts";
import type { Watchdog } from "../watchdog.ts";

/** What waiting for a client needs. */
export interface PatienceContext {
  readonly watchdog: Watchdog;
  readonly timeouts: Pick<HttpTimeouts, "idleMs">;
}

/**
 * Runs a step in which an exchange waits for its client alone. Breaks the exchange off when nothing
 * moves for the idle time, so that the step fails; `heard` says that something did.
 */
export async function unlessIdle<T>(
  exchange: Exchange,
  { watchdog, timeouts }: PatienceContext,
  step: (heard: () => void) => Promise<T>,
): Promise<T> {
  const watch = watchdog.watch(timeouts.idleMs, () => exchange.abort());
  try {
    return await step(() => watch.touch());
  } finally {
    watch.clear();
  }
}
