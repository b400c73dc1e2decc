/**
 * Signals the agent: the child of the inner layer's first process, which is the child of the
 * bwrap that was started as `monitor`. An agent that is gone gets nothing.
 */
export function signalAgent(monitor: number, signal: Deno.Signal): void {
  const agent = firstChild(firstChild(monitor));
  try {
    if (agent !== undefined) Deno.kill(agent, signal);
  } catch {
    // It ended in between.
  }
}

/** The oldest child of a process, or `undefined` when it has none. */
export function firstChild(pid: number | undefined): number | undefined {
  if (pid === undefined) return undefined;
  try {
    const children = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`);
    return children === "" ? undefined : parseInt(children);
  } catch {
    return undefined;
  }
}
