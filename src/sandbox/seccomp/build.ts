import { unwrap } from "../../core/result.ts";
import type { Artifacts } from "./artifact.ts";
import { compileSeccomp } from "./compile.ts";
import { parseSeccompPolicy } from "./policy.ts";
import { ARCHITECTURES } from "./syscalls.ts";

/**
 * What `artifacts.json` holds for a policy in TOML: its filters with their digests.
 *
 * @throws {Error} when the text is no policy.
 */
export async function artifactsOf(text: string, file: string): Promise<Artifacts> {
  const policy = unwrap(parseSeccompPolicy(text, file));
  const filters = ARCHITECTURES.map(async (architecture) => {
    const program = compileSeccomp(policy, architecture);
    return [architecture, { sha256: await sha256(program), program: program.toBase64() }] as const;
  });
  return {
    policy: policy.id,
    version: policy.version,
    sourceSha256: await sha256(new TextEncoder().encode(text)),
    filters: Object.fromEntries(await Promise.all(filters)) as Artifacts["filters"],
  };
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
