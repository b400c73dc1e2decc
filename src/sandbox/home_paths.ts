import { dirname, join } from "../core/path.ts";
import { exists, isWithin, realPath } from "./paths.ts";
import type { Profile, SettingsPath } from "./profiles.ts";

/** What of the home a profile opens. */
export interface HomePaths {
  /** Writable. */
  readonly settings: readonly string[];
  /** Read-only. */
  readonly readable: readonly string[];
  /** Places that a variable names and that would open too much; a line each, not escaped. */
  readonly refused: readonly string[];
}

/** Where a profile's paths are looked for, and what they must not open. */
export interface HomeOptions {
  readonly profile: Profile;
  /** Home as named. */
  readonly home: string;
  /** The home as named and as it really is. */
  readonly homes: readonly string[];
  readonly cwd: string;
  readonly hostEnv: Readonly<Record<string, string>>;
}

/** Finds what exists of the paths that a profile opens. */
export function homePaths(options: HomeOptions): HomePaths {
  const { profile, home, homes, cwd, hostEnv } = options;
  const refused: string[] = [];
  const usable = (path: string) => {
    const real = realPath(path);
    const tooWide = [...homes, cwd].some((inside) => isWithin(inside, real)) ||
      !path.startsWith("/");
    if (tooWide) refused.push(`"${path}" stays closed: it is more than an agent's own settings`);
    return !tooWide;
  };
  const places = profile.settings.map((settings) => placeOf(settings, home, hostEnv));
  return {
    settings: places.filter((path) => exists(path) && usable(path)),
    readable: profile.readable.map((path) => join(home, path))
      .filter((path) => exists(path) && usable(path)),
    refused,
  };
}

/**
 * Makes the places where the agent of a profile signs in, for its first run: what it wrote into
 * none would be gone with the sandbox. Never in a home that does not exist.
 */
export function makeSettings(options: Pick<HomeOptions, "profile" | "home" | "hostEnv">): void {
  const { profile, home, hostEnv } = options;
  if (!exists(home)) return;
  for (const settings of profile.settings) {
    const path = placeOf(settings, home, hostEnv);
    const { first } = settings;
    if (first === undefined || exists(path) || !path.startsWith("/")) continue;
    try {
      if (first === "directory") Deno.mkdirSync(path, { recursive: true, mode: 0o700 });
      else if (exists(dirname(path))) {
        Deno.writeTextFileSync(path, first.text, { createNew: true, mode: 0o600 });
      }
    } catch {
      // A home that cannot be written; the agent does without.
    }
  }
}

function placeOf(
  { path, variable }: SettingsPath,
  home: string,
  hostEnv: Readonly<Record<string, string>>,
): string {
  return ((variable && hostEnv[variable]) || join(home, path)).replace(/(?<=.)\/+$/, "");
}
