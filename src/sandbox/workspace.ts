import { err, ok, type Result } from "../core/result.ts";
import { isWithin } from "./paths.ts";

/** Places whose content firma replaces or hides; a workspace that held one would bring it back. */
const REPLACED = [
  ...["/bin", "/boot", "/dev", "/etc", "/lib", "/mnt", "/opt", "/proc", "/root", "/run", "/sbin"],
  ...["/sys", "/tmp", "/usr", "/var", "/var/run", "/var/tmp", "/home"],
];
/** Places below which nothing can be worked on either. */
const UNUSABLE = ["/boot", "/dev", "/etc", "/mnt", "/proc", "/run", "/sys", "/var/run"];

/** Where a command is to work, and what must stay out of its reach. */
export interface WorkspaceOptions {
  /** Real path of the working directory. */
  readonly cwd: string;
  /** Home of the user, as named and as it really is. */
  readonly homes: readonly string[];
  /** firma's own state and data directories. */
  readonly hidden: readonly string[];
}

/**
 * Refuses a working directory that would open more than a project to the command: the whole
 * machine, the home, or firma's own files.
 */
export function checkWorkspace({ cwd, homes, hidden }: WorkspaceOptions): Result<void> {
  const refuse = (state: string) =>
    err({
      code: "WORKSPACE_REFUSED",
      message: `Cannot open "${cwd}" to the command: ${state}`,
      cure:
        "change into the directory of one project, or make one: mkdir ~/project && cd ~/project",
    });
  const home = homes.find((home) => isWithin(home, cwd));
  if (cwd === "/") return refuse("it is the whole machine");
  if (home === cwd) return refuse("it is your home directory, with your keys and settings");
  if (home !== undefined) return refuse("it contains your home directory");
  if (hidden.some((directory) => isWithin(cwd, directory))) {
    return refuse("it is where firma keeps its own state");
  }
  if (REPLACED.includes(cwd) || UNUSABLE.some((directory) => isWithin(cwd, directory))) {
    return refuse("it is a directory of the system");
  }
  return ok(undefined);
}
