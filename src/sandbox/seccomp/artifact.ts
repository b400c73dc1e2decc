/** The filter that agents run under, compiled beforehand: `__init` loads no parser. */
import artifacts from "./artifacts.json" with { type: "json" };

/** The content of `artifacts.json`, which `scripts/gen_seccomp.ts` writes. */
export interface Artifacts {
  /** Id and version of the policy. */
  readonly policy: string;
  readonly version: number;
  /** Of its text in TOML. */
  readonly sourceSha256: string;
  /** By machine. */
  readonly filters: Readonly<Record<"x86_64" | "aarch64", Artifact>>;
}

/** A compiled filter. */
export interface Artifact {
  /** Of the program. */
  readonly sha256: string;
  /** `struct sock_filter`s as the kernel reads them, in base64. */
  readonly program: string;
}

/** What was compiled into this firma. */
export const ARTIFACTS: Artifacts = artifacts;

/**
 * The program of an artifact.
 *
 * @throws {Error} when it is not the one that was compiled: no agent starts under half a filter.
 */
export async function loadFilter({ sha256, program }: Artifact): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = Uint8Array.fromBase64(program);
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  if (new Uint8Array(digest).toHex() !== sha256) {
    throw new Error("Cannot confine the command: the system call filter is damaged");
  }
  return bytes;
}
