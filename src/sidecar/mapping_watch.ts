import { dirname } from "../core/path.ts";
import { ChangeLoop } from "../authority/change_loop.ts";
import { delay } from "../core/delay.ts";
import type { FirmaError, Result } from "../core/result.ts";
import { readMapping } from "./settings.ts";
import type { MappingSource } from "./worker/messages.ts";

/** How far apart two reads must be that agree before their content is applied. */
const SETTLE_MS = 100;
const POLL_MS = 1_000;

/**
 * Hears of each new content of the mapping files, and of files that cannot be
 * read, once it has stood for 100 ms: an editor truncates before it writes.
 */
export function watchMapping(
  paths: readonly string[],
  inForce: readonly MappingSource[],
  onChange: (mapping: Result<readonly MappingSource[], FirmaError[]>) => void | Promise<void>,
): ChangeLoop {
  let known = JSON.stringify(inForce);
  return ChangeLoop.start({
    directories: [...new Set(paths.map((path) => dirname(path)))],
    pollMs: POLL_MS,
    look: async (signal) => {
      const first = await readMapping(paths);
      if (fingerprint(first) === known) return;
      await delay(SETTLE_MS, signal);
      if (signal.aborted) return;
      const second = await readMapping(paths);
      // Otherwise somebody is still writing; the next look sees the end of it.
      if (fingerprint(second) !== fingerprint(first)) return;
      known = fingerprint(second);
      await onChange(second);
    },
  });
}

function fingerprint(mapping: Result<readonly MappingSource[], FirmaError[]>): string {
  return JSON.stringify(mapping.ok ? mapping.value : mapping.error.map(({ message }) => message));
}
