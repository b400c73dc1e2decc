import { isAbsolute, join } from "../core/path.ts";
import { err, ok, type Result } from "../core/result.ts";
import { isWithin, realPath } from "./paths.ts";

/** A program that runs outside of the sandbox on behalf of what runs in it, or its script. */
export interface HostProgram {
  readonly path: string;
  /** Whose it is, as in `the credential "github"`. */
  readonly owner: string;
  /** It is a directory, in which that looks for programs by their names. @default {false} */
  readonly isDirectory?: boolean;
}

/**
 * Refuses programs of the host that lie where the agent may write: whatever an agent put in their
 * places would run outside of the sandbox.
 */
export function checkHostPrograms(
  programs: readonly HostProgram[],
  writable: readonly string[],
): Result<void> {
  const places = writable.flatMap((path) => [path, realPath(path)]);
  for (const { path: program, owner, isDirectory = false } of programs) {
    const where = [...linksFrom(program), realPath(program)]
      .flatMap((path) => places.filter((place) => isWithin(path, place)));
    if (where.length === 0) continue;
    const what = isDirectory ? `programs in "${program}", which is on PATH,` : `"${program}"`;
    return err({
      code: "HOST_PROGRAM_WRITABLE",
      message: `Cannot run ${what} for ${owner}: the command may write to "${where[0]}"`,
      cure: isDirectory
        ? "start firma with a PATH without it"
        : "keep the program where no agent may write, and name that in firma.toml",
    });
  }
  return ok(undefined);
}

const MOST_LINKS = 40;

/** A path, and those that it leads to by each link on the way: each could be led elsewhere. */
export function linksFrom(path: string): string[] {
  const found = [path];
  let real = "/";
  for (let rest = path.split("/"); rest.length > 0 && found.length < MOST_LINKS;) {
    const [name = "", ...behind] = rest;
    const next = join(real, name);
    const target = linkAt(next);
    if (target === undefined) {
      [real, rest] = [next, behind];
      continue;
    }
    const led = join(isAbsolute(target) ? "" : real, target, ...behind);
    found.push(led);
    [real, rest] = ["/", led.split("/")];
  }
  return found;
}

function linkAt(path: string): string | undefined {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return undefined; // it is no link
  }
}
