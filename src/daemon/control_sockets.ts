import { type Environment, runsDir } from "../config/paths.ts";
import { userId } from "../config/user_id.ts";
import { isId } from "../core/id.ts";
import { join } from "../core/path.ts";
import { daemonPaths } from "./state.ts";

/** The control sockets that are there below the state directory of `env`: the daemon's first. */
export function controlSockets(env: Environment): string[] {
  const { directory, controlSocket } = daemonPaths(env);
  const daemon = isOwn(directory) && isSocket(controlSocket) ? [controlSocket] : [];
  return [...daemon, ...runSockets(env)];
}

/** The control sockets of single runs. */
export function runSockets(env: Environment): string[] {
  const directory = runsDir(env);
  try {
    if (!isOwn(directory)) return [];
    return [...Deno.readDirSync(directory)]
      .filter(({ isDirectory, name }) => isDirectory && isId("sbx", name))
      .map(({ name }) => join(directory, name, "control.sock"))
      .filter(isSocket);
  } catch {
    return []; // no run yet
  }
}

/** In `/tmp` anybody can be there first. */
function isOwn(directory: string): boolean {
  try {
    return Deno.lstatSync(directory).uid === userId();
  } catch {
    return false;
  }
}

function isSocket(path: string): boolean {
  try {
    return Deno.lstatSync(path).isSocket === true;
  } catch {
    return false;
  }
}
