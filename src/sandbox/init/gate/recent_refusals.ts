import type { Found } from "./describe.ts";
import { identityKey } from "./file.ts";

/** The next directory of `PATH` is tried at once, also on a busy machine. */
const AT_ONCE_MS = 1_000;
const MOST = 256;

interface Refusal {
  readonly found: Found;
  /** What it has been called by. */
  readonly paths: Set<string>;
  readonly until: number;
}

/**
 * Executions that were refused a moment ago. A shell that may not execute what it found in one
 * directory of `PATH` tries the next, which may lead to the same file (`/usr/bin` and `/bin`): that
 * is one attempt, about which nobody is asked twice.
 */
export class RecentRefusals {
  readonly #byPid = new Map<number, Refusal>();

  /** Remembers what was refused; `now` in milliseconds. */
  note(found: Found, now: number): void {
    const { pid, path } = found.execution;
    this.#byPid.delete(pid);
    if (this.#byPid.size >= MOST) this.#byPid.delete(this.#byPid.keys().next().value!);
    this.#byPid.set(pid, { found, paths: new Set([path]), until: now + AT_ONCE_MS });
  }

  /** Whether this is what the same process was refused, by another path that it has not tried yet. */
  isRetry(found: Found, now: number): boolean {
    const { execution } = found;
    const refusal = this.#byPid.get(execution.pid);
    if (refusal === undefined) return false;
    const { paths, until } = refusal;
    const isRetry = now < until && !paths.has(execution.path) && isSame(refusal.found, found);
    if (isRetry) paths.add(execution.path);
    else this.#byPid.delete(execution.pid);
    return isRetry;
  }
}

function isSame(a: Found, b: Found): boolean {
  const [one, other] = [a.identified, b.identified];
  return identityKey(one.program.identity) === identityKey(other.program.identity) &&
    identityKey(one.runs) === identityKey(other.runs) &&
    said(a) === said(b);
}

/** All that a decision looks at, but for the directory in which the program was found. */
function said({ execution, isWhole }: Found): string {
  const { names, argv, cwd, file, environment } = execution;
  return JSON.stringify([names, argv, cwd, file, environment, isWhole]);
}
