import { err, ok, type Result } from "../../core/result.ts";
import { readPrivateFile } from "../../pki/private_file.ts";
import type { ProviderWorld } from "./provider_world.ts";

/** Most characters that a file with one secret has. */
const LONGEST = 65_536;

/** The files of providers, on this machine. */
export const SECRET_FILES: Pick<ProviderWorld, "readSecret" | "writeSecret" | "exclusively"> = {
  async readSecret(path, what) {
    try {
      const text = await readPrivateFile(path, what);
      if (!text.ok) return text;
      const secret = text.value.trim();
      if (secret === "") return unusable("read", what, path, "it is empty");
      if (secret.length > LONGEST) return unusable("read", what, path, "it is too long");
      return ok(secret);
    } catch (cause) {
      return unusable("read", what, path, nameOf(cause));
    }
  },

  async writeSecret(path, text) {
    const draft = `${path}.${crypto.randomUUID()}`;
    try {
      using file = await Deno.open(draft, { write: true, createNew: true, mode: 0o600 });
      const bytes = new TextEncoder().encode(`${text}\n`);
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      await file.sync();
      await Deno.rename(draft, path);
      return ok(undefined);
    } catch (cause) {
      await Deno.remove(draft).catch(() => {});
      return unusable("write", "secret", path, nameOf(cause));
    }
  },

  async exclusively<T>(path: string, action: () => Promise<Result<T>>): Promise<Result<T>> {
    try {
      using file = await Deno.open(`${path}.lock`, { write: true, create: true, mode: 0o600 });
      await file.lock(true);
      return await action();
    } catch (cause) {
      return unusable("lock", "secret", path, nameOf(cause));
    }
  },
};

/** What the system says of a failure is about paths; the kind of it is enough. */
function nameOf(cause: unknown): string {
  return cause instanceof Error ? cause.name : "unknown failure";
}

function unusable(
  verb: "read" | "write" | "lock",
  what: string,
  path: string,
  state: string,
): { readonly ok: false; readonly error: { code: string; message: string; cure: string } } {
  return err({
    code: "CREDENTIAL_FILE_UNUSABLE",
    message: `Cannot ${verb} the ${what} "${path}": ${state}`,
    cure: "make it a file of mode 0600 of yours, in a directory that you can write",
  });
}
