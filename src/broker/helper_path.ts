import type { Environment } from "../config/paths.ts";
import { isAbsolute } from "../core/path.ts";

/**
 * The environment with a `PATH` for what runs outside of sandboxes: without directories of the
 * project, where an agent could leave a program with the name of one that a helper starts, and without
 * those that are named from wherever one happens to be. A project that the home lies in is taken for
 * what agents are set up in, and not for what they work in.
 */
export function withHelperPath(env: Environment, project: string): Environment {
  const { PATH, HOME } = env;
  if (PATH === undefined) return env;
  const places = [project, realPath(project)];
  const homes = HOME === undefined ? [] : [HOME, realPath(HOME)];
  const isProject = !homes.some((home) => places.some((place) => isWithin(home, place)));
  const kept = PATH.split(":").filter((directory) => {
    if (!isAbsolute(directory)) return false;
    const paths = [directory, realPath(directory)];
    return !isProject || !paths.some((path) => places.some((place) => isWithin(path, place)));
  });
  return { ...env, PATH: kept.join(":") };
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || directory === "/" || path.startsWith(`${directory}/`);
}

function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    return path; // nothing is found there, now
  }
}
