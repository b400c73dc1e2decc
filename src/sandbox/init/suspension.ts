import { agentPid } from "./agent_process.ts";
import { libc } from "./libc.ts";

const SIGCONT = 18;
const SIGSTOP = 19;

/** How long the agent's processes may take to stand still, and how often they are looked at. */
const STILL_MS = 2_000;
const LOOK_MS = 1;

/** A process of the agent. */
interface Found {
  readonly pid: number;
  readonly isStopped: boolean;
}

/**
 * Stops everything that runs in the inner layer, and lets it go on. A shell that saw its job stop
 * would take the terminal back: so parents are stopped before their children, and go on after them.
 */
export class Suspension {
  readonly #monitor: number;
  /** What was stopped here, in this order; what the agent had stopped itself stays stopped. */
  #stopped: number[] | undefined;

  /** `monitor` is the process that the agent's first one is a grandchild of. */
  constructor(monitor: number) {
    this.#monitor = monitor;
  }

  get isActive(): boolean {
    return this.#stopped !== undefined;
  }

  /** Returns when everything stands still, or is about to: a process in the kernel takes a while. */
  suspend(): void {
    const stopped = this.#stopped ??= [];
    const known = new Set(stopped);
    const end = performance.now() + STILL_MS;
    for (let isStill = false; !isStill && performance.now() < end;) {
      isStill = true;
      for (const { pid, isStopped } of this.#processes()) {
        if (isStopped) continue;
        isStill = false;
        if (!known.has(pid) && libc.kill(pid, SIGSTOP) === 0) {
          known.add(pid);
          stopped.push(pid);
        }
        // Its children come next: it must not see them stop.
        waitUntil(() => stateOf(pid)?.isStopped !== false);
      }
    }
  }

  resume(): void {
    const stopped = this.#stopped ?? [];
    this.#stopped = undefined;
    for (const pid of stopped.toReversed()) libc.kill(pid, SIGCONT);
  }

  /** The agent and everything below it, parents first. */
  *#processes(): Generator<Found> {
    const first = agentPid(this.#monitor);
    const children = new Map<number, number[]>();
    for (const { name } of Deno.readDirSync("/proc")) {
      const pid = Number(name);
      const state = Number.isInteger(pid) ? stateOf(pid) : undefined;
      if (state === undefined) continue;
      children.set(state.parent, [...children.get(state.parent) ?? [], pid]);
    }
    // The first process of the inner layer adopts whoever loses its parent.
    const adopter = first === undefined ? undefined : stateOf(first)?.parent;
    const waiting = adopter === undefined ? [] : [...children.get(adopter) ?? []];
    for (let pid = waiting.shift(); pid !== undefined; pid = waiting.shift()) {
      const state = stateOf(pid);
      if (state === undefined) continue;
      yield { pid, isStopped: state.isStopped };
      waiting.push(...children.get(pid) ?? []);
    }
  }
}

const clock = new Int32Array(new SharedArrayBuffer(4));
/** One process may be in the kernel, where nothing stops it, while the others still run. */
const ONE_MS = 20;

function waitUntil(isDone: () => boolean): void {
  const end = performance.now() + ONE_MS;
  while (!isDone() && performance.now() < end) Atomics.wait(clock, 0, 0, LOOK_MS);
}

/** Whether a process stands still, dead ones included, and whose child it is (proc(5)). */
function stateOf(
  pid: number,
): { readonly isStopped: boolean; readonly parent: number } | undefined {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    // The name before it may contain anything.
    const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { isStopped: "TtZX".includes(state!), parent: Number(parent) };
  } catch {
    return undefined;
  }
}
