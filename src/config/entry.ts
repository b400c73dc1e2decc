/** What is at a path itself, links not followed; `undefined` for nothing. Throws other faults. */
export function entryOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw cause;
  }
}
