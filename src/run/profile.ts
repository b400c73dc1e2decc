import { programOf } from "../config/agent_program.ts";
import { nearest } from "../core/nearest.ts";
import { err, ok, type Result } from "../core/result.ts";

/** What the sandbox can be prepared for. */
const PROFILES = ["generic", "claude-code", "codex", "copilot", "vscode"] as const;

/** The profile that a program calls for by itself. */
const BY_PROGRAM: Readonly<Record<string, string>> = {
  claude: "claude-code",
  codex: "codex",
  copilot: "copilot",
  code: "vscode",
};

/** The profile that was named, else the one that the command calls for, else `generic`. */
export function chooseProfile(
  named: string | undefined,
  command: readonly string[],
): Result<string> {
  const program = programOf(command);
  if (named === undefined) {
    return ok(Object.hasOwn(BY_PROGRAM, program) ? BY_PROGRAM[program]! : "generic");
  }
  if (PROFILES.some((profile) => profile === named)) return ok(named);
  const close = nearest(named, PROFILES);
  return err({
    code: "UNKNOWN_PROFILE",
    message: `Cannot find profile "${named}": there is none of that name`,
    cure: close ? `did you mean "${close}"?` : `choose one of: ${PROFILES.join(", ")}`,
  });
}
