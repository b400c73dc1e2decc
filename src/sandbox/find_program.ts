import { join, resolve } from "../core/path.ts";
import { err, ok, type Result } from "../core/result.ts";

/** Finds the file that a command names, as a shell does: on `path` unless it contains a slash. */
export function findProgram(command: string, path: string, cwd: string): Result<string> {
  const candidates = command.includes("/")
    ? [resolve(cwd, command)]
    : path.split(":").map((directory) => join(resolve(cwd, directory), command));
  let found = false;
  let isDirectory = false;
  for (const candidate of command === "" ? [] : candidates) {
    try {
      const { isFile, mode, ...other } = Deno.statSync(candidate);
      isDirectory ||= other.isDirectory;
      if (!isFile) continue;
      found = true;
      if ((mode ?? 0) & 0o111) return ok(candidate);
    } catch {
      continue;
    }
  }
  if (found) {
    return err({
      code: "COMMAND_NOT_EXECUTABLE",
      message: `Cannot run "${command}": the file is not executable`,
      cure: `chmod +x ${command}`,
    });
  }
  const cure = isDirectory
    ? "name a program: this is a directory"
    : "check the name, and that its directory is on PATH";
  return err({
    code: "COMMAND_NOT_FOUND",
    message: `Cannot run "${command}": there is no such program`,
    cure,
  });
}
