import { Option } from "commander";
import { dataDir } from "../../config/paths.ts";
import { join } from "../../core/path.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { readPublicKeyFile } from "../../pki/signing_key.ts";

/** `--public-key` */
export function publicKeyOption(): Option {
  return new Option("--public-key <file>", "key that signed it; repeat after a change of keys")
    .argParser((value: string, previous: string[] | undefined) => [...previous ?? [], value]);
}

/** The keys in `files`; without any, the one that signs this user's log. */
export async function publicKeys(
  files: readonly string[] | undefined,
): Promise<Result<Uint8Array[]>> {
  const paths = files ?? [join(dataDir(Deno.env.toObject()), "keys/audit.key.pub")];
  const keys: Uint8Array[] = [];
  for (const path of paths) {
    const key = await readPublicKeyFile(path);
    if (!key.ok) {
      const cure = "name the public key of the log: --public-key <file>";
      return err({ ...key.error, cure });
    }
    keys.push(key.value);
  }
  return ok(keys);
}
