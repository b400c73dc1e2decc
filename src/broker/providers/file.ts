import { ok, type Result } from "../../core/result.ts";
import type { ProviderFactory } from "../provider.ts";
import { unobtainable } from "../provider.ts";
import { writeSecret } from "../write_secret.ts";

const LARGEST_FILE = 65_536;
/** What group and others may do. */
const ANYBODY_ELSE = 0o077;

/** A secret from a file that nobody but its owner can read. */
export const fileProvider: ProviderFactory<"file"> = ({ path }, { credential }) => ({
  kind: "file",
  scope: () => "",
  async obtain() {
    const text = await readPrivate(credential.label, path);
    return text.ok ? writeSecret(credential, text.value) : text;
  },
});

/** Reads a file whose mode keeps everybody else out; looks at the very file that it reads. */
export async function readPrivate(label: string, path: string): Promise<Result<string>> {
  try {
    // A pipe would block the opening of it.
    const before = await Deno.lstat(path);
    if (!before.isFile) return unobtainable(label, `"${path}" is not a regular file`);
    using file = await Deno.open(path);
    const { isFile, mode, size } = await file.stat();
    if (!isFile) return unobtainable(label, `"${path}" is not a regular file`);
    if (mode !== null && (mode & ANYBODY_ELSE) !== 0) {
      return unobtainable(label, `others can read "${path}"`, `chmod 600 ${path}`);
    }
    if (size > LARGEST_FILE) return unobtainable(label, `"${path}" is larger than 64 KiB`);
    const bytes = new Uint8Array(size);
    let length = 0;
    for (let more = 1; more > 0 && length < size; length += more) {
      more = await file.read(bytes.subarray(length)) ?? 0;
    }
    return ok(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, length)));
  } catch (cause) {
    return unobtainable(label, `"${path}" ${whyNot(cause)}`);
  }
}

function whyNot(cause: unknown): string {
  if (cause instanceof Deno.errors.NotFound) return "does not exist";
  if (cause instanceof TypeError) return "is not text";
  return "cannot be read";
}
