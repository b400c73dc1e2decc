import { Option } from "commander";
import { auditKeyFile } from "../../config/paths.ts";
import { basename, dirname, join } from "../../core/path.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { readPublicKeyFile } from "../../pki/signing_key.ts";

/** `--public-key` */
export function publicKeyOption(): Option {
  return new Option("--public-key <file>", "key that signed it; repeat after a change of keys")
    .argParser((value: string, previous: string[] | undefined) => [...previous ?? [], value]);
}

/** The keys in `files`; without any, those that sign and have signed this user's log. */
export async function publicKeys(
  files: readonly string[] | undefined,
): Promise<Result<Uint8Array[]>> {
  const paths = files ?? ownKeys(auditKeyFile(Deno.env.toObject()));
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

/** The public half of the key at `path`, and of those that it has followed. */
function ownKeys(path: string): string[] {
  const [directory, name] = [dirname(path), basename(path)];
  const present = `${path}.pub`;
  try {
    const retired = [...Deno.readDirSync(directory)].map((entry) => entry.name)
      .filter((each) => each.startsWith(`${name}.`) && /\.[0-9a-f]{16}\.pub$/.test(each));
    return [present, ...retired.map((each) => join(directory, each))];
  } catch {
    return [present]; // whoever reads it says that it is not there
  }
}
