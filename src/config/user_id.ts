let known: number | null | undefined;

/**
 * The user that this process runs as; `null` where there is no such thing. Asked for once, so
 * that a process which has given up the permission to ask still knows.
 *
 * @throws {Deno.errors.NotCapable} When it is first called without that permission.
 */
export function userId(): number | null {
  return known === undefined ? known = Deno.uid() : known;
}
