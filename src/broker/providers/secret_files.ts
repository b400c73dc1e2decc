import { ok, type Result } from "../../core/result.ts";
import { unobtainable } from "../provider.ts";
import { readPrivate } from "./file.ts";
import type { ProviderWorld } from "./provider_world.ts";

/** The files of the credential `label`, on this machine. */
export function secretFiles(
  label: string,
): Pick<ProviderWorld, "readSecret" | "writeSecret" | "exclusively"> {
  return {
    async readSecret(path) {
      const text = await readPrivate(label, path);
      if (!text.ok) return text;
      const secret = text.value.trim();
      return secret === "" ? unobtainable(label, `"${path}" is empty`) : ok(secret);
    },

    async writeSecret(path, text) {
      const draft = `${path}.new`;
      try {
        // Left over from a process that was killed; nobody else writes one meanwhile.
        await Deno.remove(draft).catch(() => {});
        using file = await Deno.open(draft, { write: true, createNew: true, mode: 0o600 });
        const bytes = new TextEncoder().encode(`${text}\n`);
        for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
        await file.sync();
        await Deno.rename(draft, path);
        return ok(undefined);
      } catch {
        return unobtainable(label, `"${path}" cannot be replaced`, WRITABLE);
      }
    },

    async exclusively<T>(path: string, action: () => Promise<Result<T>>): Promise<Result<T>> {
      try {
        using file = await Deno.open(`${path}.lock`, { write: true, create: true, mode: 0o600 });
        await file.lock(true);
        return await action();
      } catch {
        return unobtainable(label, `"${path}" cannot be locked`, WRITABLE);
      }
    },
  };
}

const WRITABLE = "keep it in a directory that you own and can write";
