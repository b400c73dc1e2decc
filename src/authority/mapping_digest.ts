import { basename } from "../core/path.ts";
import { err, ok, type Result } from "../core/result.ts";

const LARGEST = 8 * 1024 * 1024;

const encoder = new TextEncoder();

/**
 * Names the content of mapping files: a SHA-256, hex, over their names and bytes in
 * the order given. Not over their directories, which differ from machine to machine.
 */
export async function digestMapping(paths: readonly string[]): Promise<Result<string>> {
  const parts: Uint8Array[] = [];
  for (const path of paths) {
    try {
      const { isFile, size } = await Deno.stat(path);
      if (!isFile) return unreadable(path, "it is not a regular file");
      if (size > LARGEST) return unreadable(path, `it is larger than ${LARGEST} bytes`);
      const bytes = await Deno.readFile(path);
      const name = encoder.encode(basename(path));
      for (const part of [name, bytes]) parts.push(encoder.encode(`${part.length}:`), part);
    } catch (cause) {
      const missing = cause instanceof Deno.errors.NotFound;
      return unreadable(path, missing ? "there is no such file" : String(cause));
    }
  }
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return ok(new Uint8Array(await crypto.subtle.digest("SHA-256", all)).toHex());
}

function unreadable(path: string, state: string): Result<never> {
  return err({
    code: "MAPPING_UNREADABLE",
    message: `Cannot read mapping rules "${path}": ${state}`,
    cure: "put the file back, or take it out of mapping_rules_paths",
    at: { file: path },
  });
}
