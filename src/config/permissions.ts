/** What servers need while they start and never again. */
export const GIVEN_UP = ["run", "ffi", "sys"] as const;

/**
 * Gives up {@linkcode GIVEN_UP} for good: whatever goes wrong in this process later starts no
 * program and loads no library.
 */
export async function giveUpPermissions(): Promise<void> {
  for (const name of GIVEN_UP) await Deno.permissions.revoke({ name });
}
