import type { Artifact, Artifacts } from "./artifact.ts";
import { compileSeccomp } from "./compile.ts";
import { parseSeccompPolicy } from "./policy.ts";
import { ARCHITECTURES } from "./syscalls.ts";

/**
 * What `artifacts.json` holds for a policy in TOML: its filters with their digests.
 *
 * @throws {Error} when the text is no policy.
 */
export async function artifactsOf(text: string, file: string): Promise<Artifacts> {
  const policy = parseSeccompPolicy(text, file);
  if (!policy.ok) throw new Error(policy.error.map(({ message }) => message).join("\n"));
  const filters = ARCHITECTURES.map(async (architecture) =>
    [architecture, await sealProgram(compileSeccomp(policy.value, architecture))] as const
  );
  return {
    policy: policy.value.id,
    version: policy.value.version,
    sourceSha256: await sha256(new TextEncoder().encode(text)),
    filters: Object.fromEntries(await Promise.all(filters)) as Artifacts["filters"],
  };
}

/** A program with its digest, as `__init` takes it. */
export async function sealProgram(program: Uint8Array<ArrayBuffer>): Promise<Artifact> {
  return { sha256: await sha256(program), program: program.toBase64() };
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
