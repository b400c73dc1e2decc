import { join, resolve } from "../core/path.ts";
import { err, ok, type Result } from "../core/result.ts";

/** Finds the file that a command names, as a shell does: on `path` unless it contains a slash. */
export function findProgram(command: string, path: string, cwd: string): Result<string> {
  const candidates = command.includes("/")
    ? [resolve(cwd, command)]
    : path.split(":").map((directory) => join(resolve(cwd, directory), command));
  let found = false;
  for (const candidate of command === "" ? [] : candidates) {
    try {
      const { isFile, mode } = Deno.statSync(candidate);
      if (!isFile) continue;
      found = true;
      if ((mode ?? 0) & 0o111) return ok(candidate);
    } catch {
      continue;
    }
  }
  return err(
    found
      ? {
        code: "COMMAND_NOT_EXECUTABLE",
        message: `Cannot run "${command}": the file is not executable`,
        cure: `chmod +x ${command}`,
      }
      : {
        code: "COMMAND_NOT_FOUND",
        message: `Cannot run "${command}": there is no such program`,
        cure: "check the name, and that its directory is on PATH",
      },
  );
}
