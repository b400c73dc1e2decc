import { programOf } from "../config/agent_program.ts";
import { nearest } from "../core/nearest.ts";
import { err, ok, type Result } from "../core/result.ts";
import { type Profile, profileById, profileForCommand, PROFILES } from "../sandbox/profiles.ts";

/** The id of the profile that was named, else of the one that the command calls for. */
export function chooseProfile(
  named: string | undefined,
  command: readonly string[],
  profiles: readonly Profile[] = PROFILES,
): Result<string> {
  if (named === undefined) return ok(profileForCommand(programOf(command), profiles).id);
  if (profileById(named, profiles)) return ok(named);
  const ids = profiles.map((profile) => profile.id);
  const close = nearest(named, ids);
  return err({
    code: "UNKNOWN_PROFILE",
    message: `Cannot find profile "${named}": there is none of that name`,
    cure: close ? `did you mean "${close}"?` : `choose one of: ${ids.join(", ")}`,
  });
}
