import { userId } from "./user_id.ts";

/** What servers need while they start and never again. */
export const GIVEN_UP = ["run", "ffi", "sys"] as const;

/** What a monitor needs no more when it begins to read: a worker of its own asks the daemons. */
export const MONITOR_GIVES_UP = [...GIVEN_UP, "net"] as const;

/** The same of one on a full screen, which Ctrl-Z must be able to stop: that is a signal (`run`). */
export const SCREEN_GIVES_UP = ["ffi", "sys", "net"] as const;

/**
 * Gives up permissions for good: whatever goes wrong in this process later starts no program and
 * loads no library.
 *
 * @default {@linkcode GIVEN_UP}
 */
export async function giveUpPermissions(
  names: readonly ("run" | "ffi" | "sys" | "net")[] = GIVEN_UP,
): Promise<void> {
  userId(); // which nobody can be asked for any more
  for (const name of names) await Deno.permissions.revoke({ name });
}
