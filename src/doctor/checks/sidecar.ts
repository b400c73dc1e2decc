import { join } from "../../core/path.ts";
import { shellWord } from "../../core/shell.ts";
import { type Component, daemonPaths, findComponent } from "../../daemon/state.ts";
import { runDirectories } from "../../run/run_directory.ts";
import type { Check } from "../check.ts";
import { type Finding, fine } from "../finding.ts";
import type { Endpoint, World } from "../world.ts";

/** Whether a Sidecar answers, be it a daemon's or that of a run. None is needed: runs bring theirs. */
export const sidecarCheck: Check = {
  category: "sidecar reachable",
  async run(world) {
    const daemon = await daemonFinding("sidecar", world);
    if (daemon !== undefined) return [daemon];
    const live = runDirectories(world.env).filter(({ abandoned }) => !abandoned);
    const answering = await Promise.all(
      live.map(({ path }) => world.knock({ transport: "unix", path: join(path, "control.sock") })),
    );
    const count = answering.filter((answer) => answer === "accepted").length;
    if (count > 0) return [fine(`${count === 1 ? "that of a run" : `those of ${count} runs`}`)];
    return [fine("none runs; firma run starts one of its own")];
  },
};

/** What there is to say of a component of the daemon; `undefined` when there never was one. */
export async function daemonFinding(
  component: Component,
  world: World,
): Promise<Finding | undefined> {
  const found = findComponent(component, world.env);
  const paths = daemonPaths(world.env);
  const file = paths.marker(component);
  if (!found.ok) {
    const { code, message } = found.error;
    if (code === "DIRECTORY_NOT_PRIVATE") return fine("not asked: see the check of the state dir");
    return { status: "warn", reason: message, ...removal(file) };
  }
  if (found.value === undefined) return undefined;
  const { marker, isAlive } = found.value;
  if (!isAlive) {
    return {
      status: "warn",
      reason: `the daemon's ${component} is gone, and its marker is there: ${file}`,
      ...removal(file, () => findComponent(component, world.env)),
    };
  }
  const log = `tail -n 20 ${shellWord(paths.log(component))}`;
  const endpoint = endpointOf(component, marker);
  if (marker.state !== "running") {
    return { status: "warn", reason: `the daemon is ${marker.state}`, cure: log };
  }
  if (endpoint === undefined || await world.knock(endpoint) === "accepted") {
    return fine(`the daemon's, process ${marker.pid}`, marker.config_file);
  }
  return {
    status: "fail",
    reason: `process ${marker.pid} runs, but does not answer within ${world.timeoutMs} ms`,
    cure: log,
  };
}

function removal(
  file: string,
  again: () => ReturnType<typeof findComponent> = () => ({ ok: true, value: undefined }),
): Pick<Finding, "cure" | "repair"> {
  return {
    cure: `rm ${shellWord(file)}`,
    repair: {
      done: `removed ${file}`,
      apply() {
        // A daemon that was started meanwhile has put its own there.
        const now = again();
        if (!now.ok || !now.value?.isAlive) Deno.removeSync(file);
      },
    },
  };
}

function endpointOf(
  component: Component,
  { control_socket, listen }: { readonly control_socket?: string; readonly listen?: string },
): Endpoint | undefined {
  const text = component === "sidecar" ? control_socket : listen;
  return text === undefined ? undefined : parseEndpoint(text);
}

/** A socket's path, `unix:` and such a path, or host and port. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const path = /^(?:unix:(?:\/\/)?)?(\/.*)$/.exec(text)?.[1];
  if (path !== undefined) return { transport: "unix", path };
  const match = /^(https:\/\/)?(?:\[([0-9a-f:.]+)\]|([^:/[\]]+))(?::(\d{1,5}))?\/?$/i.exec(text);
  if (match === null) return undefined;
  const [, scheme, ipv6, name, written] = match;
  const port = written ?? (scheme === undefined ? undefined : "443");
  if (port === undefined) return undefined;
  // Who listens everywhere answers here.
  const host = (ipv6 ?? name)!.replace(/^(?:0\.0\.0\.0|::)$/, "localhost");
  return { transport: "tcp", hostname: host, port: Number(port) };
}
