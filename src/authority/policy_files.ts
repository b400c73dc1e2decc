import { hashHex } from "../core/hash_hex.ts";
import { join } from "../core/path.ts";
import type { FirmaError } from "../core/result.ts";

/** A policy file. */
export interface PolicyFile {
  readonly file: string;
  readonly text: string;
}

/** What is in a policy directory at one moment. */
export type PolicyFiles =
  & {
    /** Equal for equal content. */
    readonly fingerprint: string;
  }
  & (
    | { readonly kind: "files"; readonly files: readonly PolicyFile[]; readonly youngestMs: number }
    /** A file cannot be read as policies. */
    | { readonly kind: "unusable"; readonly errors: readonly FirmaError[] }
    /** There is no directory that can be read. */
    | { readonly kind: "gone"; readonly error: FirmaError }
  );

const LARGEST = 1024 * 1024;

/**
 * Reads every `*.cedar` directly inside `directory`, sorted by name. Names that
 * start with a dot are left out: editors keep their own files there.
 */
export async function readPolicyFiles(directory: string): Promise<PolicyFiles> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(directory)) {
      if (name.endsWith(".cedar") && !name.startsWith(".")) names.push(name);
    }
  } catch (cause) {
    const error = {
      code: "POLICY_DIRECTORY_GONE",
      message: `Cannot read the policy directory "${directory}": ${reason(cause)}`,
      cure: "put it back; until then everything is denied",
      cause,
    };
    return { kind: "gone", error, fingerprint: `gone ${error.message}` };
  }
  const files: PolicyFile[] = [];
  const errors: FirmaError[] = [];
  let youngestMs = 0;
  for (const name of names.sort()) {
    try {
      const { text, modifiedMs } = await readPolicyFile(join(directory, name));
      files.push({ file: name, text });
      youngestMs = Math.max(youngestMs, modifiedMs);
    } catch (cause) {
      if (cause instanceof Deno.errors.NotFound) continue; // removed since it was listed
      errors.push({
        code: "POLICY_FILE_UNREADABLE",
        message: `Cannot read the policy file "${name}": ${reason(cause)}`,
        at: { file: name },
        cause,
      });
    }
  }
  if (errors.length > 0) {
    const text = errors.map(({ message }) => message).join("\n");
    return { kind: "unusable", errors, fingerprint: `unusable ${versionOf(files)} ${text}` };
  }
  return { kind: "files", files, youngestMs, fingerprint: `files ${versionOf(files)}` };
}

/** Names the content of policy files: the first 16 hex digits of a SHA-256. */
export function versionOf(files: readonly PolicyFile[]): string {
  const encoder = new TextEncoder();
  // With their lengths, so that no text can pass for the name of the next file.
  const parts = files.flatMap(({ file, text }) => [file, text])
    .map((part) => `${encoder.encode(part).length}:${part}`);
  return hashHex(parts.join("")).slice(0, 16);
}

async function readPolicyFile(path: string): Promise<{ text: string; modifiedMs: number }> {
  const { isFile, size, mtime } = await Deno.stat(path);
  if (!isFile) throw new Error("it is not a regular file");
  if (size > LARGEST) throw new Error(`it is larger than ${LARGEST} bytes`);
  const bytes = await Deno.readFile(path);
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return { text, modifiedMs: mtime?.getTime() ?? 0 };
  } catch (cause) {
    throw new Error("it is not valid UTF-8", { cause });
  }
}

function reason(cause: unknown): string {
  if (cause instanceof Deno.errors.NotFound) return "there is no such directory";
  return cause instanceof Error ? cause.message : String(cause);
}
