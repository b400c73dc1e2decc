import { readSeed } from "../capability/seed.ts";
import type { CapabilityClaims } from "../core/capability.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";

/** No seed comes near it. */
const LARGEST = 256 * 1024;

/** The identifier goes into the environment of the agent and onto terminals. */
const SESSION_ID = /^[\x21-\x7e]{1,128}$/;

/** Whose token a seed has to be. */
export interface SeedOwner {
  readonly agentId: string;
  /** Whatever the seed says, when absent. */
  readonly sessionId?: string;
}

/**
 * The claims of the token in a seed file, verified with the Authority's public key. A seed that
 * was edited, is over, or belongs to somebody else is refused with the field named.
 */
export async function readSessionSeed(
  file: string,
  publicKey: Uint8Array,
  owner: SeedOwner,
): Promise<Result<CapabilityClaims>> {
  const text = await readText(file);
  if (!text.ok) return text;
  const seed = await readSeed(text.value, file, publicKey, Date.now());
  if (!seed.ok) return seed;
  const { claims } = seed.value;
  if (claims.agent_id !== owner.agentId) {
    return refuse(
      file,
      `"agent_id" is "${claims.agent_id}", the agent of this project is "${owner.agentId}"`,
      "firma authority issue --agent-id names the agent that a token is for",
    );
  }
  if (!SESSION_ID.test(claims.session_id)) {
    return refuse(file, '"session_id" is not 1 to 128 printable characters without spaces');
  }
  if (owner.sessionId !== undefined && claims.session_id !== owner.sessionId) {
    return refuse(file, `"session_id" is not "${owner.sessionId}", the session that is open`);
  }
  return ok(claims);
}

async function readText(file: string): Promise<Result<string>> {
  try {
    const { isFile, size } = await Deno.stat(file);
    if (!isFile) return refuse(file, "it is not a regular file");
    if (size > LARGEST) return refuse(file, `it is larger than ${LARGEST} bytes`);
    return ok(await Deno.readTextFile(file));
  } catch (cause) {
    const missing = cause instanceof Deno.errors.NotFound;
    return refuse(file, missing ? "there is no such file" : String(cause));
  }
}

function refuse(file: string, state: string, cure?: string): Result<never, FirmaError> {
  return err({
    code: "SEED_INVALID",
    message: `Cannot use the capability file "${file}": ${state}`,
    ...(cure && { cure }),
    at: { file },
  });
}
