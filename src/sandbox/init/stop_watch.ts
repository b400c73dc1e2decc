import { agentPid } from "./agent_process.ts";
import { libc } from "./libc.ts";

const SIGTSTP = 20;
const SIGCONT = 18;
const OWN_GROUP = 0;
const EVERY_MS = 150;

/**
 * Stops everything around the agent when the agent stops itself, as programs do that handle
 * Ctrl-Z on their own: else the user's shell would not notice, and the terminal would hang. Not
 * while firma has stopped it.
 */
export function followStops(monitor: number, isSuspended: () => boolean): void {
  const timer = setInterval(() => {
    const agent = agentPid(monitor);
    if (agent === undefined || isSuspended() || !isStopped(agent)) return;
    libc.kill(OWN_GROUP, SIGTSTP); // firma's own processes too; goes on after `fg`
    libc.kill(agent, SIGCONT);
  }, EVERY_MS);
  Deno.unrefTimer(timer);
}

function isStopped(pid: number): boolean {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    // The name before it may contain anything.
    return stat.slice(stat.lastIndexOf(")") + 2).startsWith("T");
  } catch {
    return false;
  }
}
