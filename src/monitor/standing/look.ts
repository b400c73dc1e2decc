import type { Environment } from "../../config/paths.ts";
import { runSockets } from "../../daemon/control_sockets.ts";
import { findComponent } from "../../daemon/state.ts";
import { askSidecar, type SidecarAnswer } from "./ask_sidecar.ts";
import type { Standing, StandingComponent } from "./standing.ts";

/** More than anybody looks through. */
const MOST_WAITING = 100;

/** Looks at what runs now, below the state directory of `env`. Never rejects. */
export async function lookAround(env: Environment): Promise<Standing> {
  const components: StandingComponent[] = [];
  const sockets: string[] = [];
  const problems: string[] = [];
  for (const component of ["sidecar", "authority"] as const) {
    const found = findComponent(component, env);
    if (!found.ok) problems.push(found.error.message);
    if (!found.ok || found.value === undefined) continue;
    const { marker, isAlive } = found.value;
    components.push({
      component,
      state: isAlive ? marker.state : "dead",
      pid: marker.pid,
      sinceMs: Date.parse(marker.started_at),
      restarts: marker.restarts,
    });
    if (isAlive && marker.control_socket !== undefined) sockets.push(marker.control_socket);
  }
  const own = runSockets(env);
  const answers = await Promise.all([...sockets, ...own].map(askSidecar));
  const heard = answers.filter((answer) => answer !== undefined);
  return {
    components,
    ownSidecars: answers.slice(sockets.length).filter((answer) => answer !== undefined).length,
    sessions: heard.flatMap(({ sessions }) => sessions)
      .sort((a, b) => a.startedMs - b.startedMs || (a.sessionId < b.sessionId ? -1 : 1)),
    bundleVersion: heard.findLast(({ bundleVersion }) => bundleVersion !== "")?.bundleVersion ?? "",
    audit: worstAudit(heard),
    isFresh: heard.every(({ isFresh }) => isFresh),
    waiting: heard.flatMap(({ waiting }) => waiting)
      .sort((a, b) => a.requested_at < b.requested_at ? -1 : 1).slice(0, MOST_WAITING),
    problem: problems[0] ?? "",
  };
}

function worstAudit(heard: readonly SidecarAnswer[]): string {
  return heard.find(({ audit }) => audit === "failed")?.audit ?? heard[0]?.audit ?? "";
}
