/** Signals the agent that runs under the bwrap `monitor`. One that is gone gets nothing. */
export function signalAgent(monitor: number, signal: Deno.Signal): void {
  const agent = agentPid(monitor);
  try {
    if (agent !== undefined) Deno.kill(agent, signal);
  } catch {
    // It ended in between.
  }
}

/** The agent: child of the inner layer's first process, which is the child of its `monitor`. */
export function agentPid(monitor: number): number | undefined {
  const first = firstChild(monitor);
  return first === undefined ? undefined : firstChild(first);
}

function firstChild(pid: number): number | undefined {
  try {
    const children = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`);
    return children === "" ? undefined : parseInt(children);
  } catch {
    return undefined;
  }
}
