import type { Approver } from "../approvals/approval.ts";
import { join } from "../core/path.ts";
import { err, ok, type Result } from "../core/result.ts";

/** What a proof is called; whoever wants to be known picks the rest. */
const PROOF = /^proof-[0-9a-f-]{36}$/;

/** How old a proof may be, in milliseconds. */
const FRESH_MS = 60_000;

/**
 * Who speaks at the control socket. The runtime does not tell the credentials of a unix socket's
 * peer, and the kernel says the same of a file: whoever asks has made one in the directory of the
 * socket, which this user and root alone can enter, and its owner is who asks. The file is taken away.
 */
export async function identifyApprover(
  directory: string,
  proof: unknown,
  via: Approver["via"],
): Promise<Result<Approver>> {
  if (typeof proof !== "string" || !PROOF.test(proof)) return unknown("it shows no proof");
  const path = join(directory, proof);
  try {
    const { isFile, isSymlink, uid, mode, nlink, mtime } = await Deno.lstat(path);
    await Deno.remove(path);
    if (!isFile || isSymlink || nlink !== 1) return unknown("its proof is not a file of its own");
    if (uid === null || ((mode ?? 0) & 0o077) !== 0) return unknown("its proof is open to others");
    if (Math.abs(Date.now() - (mtime?.getTime() ?? 0)) > FRESH_MS) {
      return unknown("its proof is old");
    }
    return ok({ uid, user: await userName(uid), via });
  } catch {
    return unknown("its proof is not there");
  }
}

/** As `/etc/passwd` has it; the number where it has none. */
async function userName(uid: number): Promise<string> {
  const lines = await Deno.readTextFile("/etc/passwd").then((text) => text.split("\n"), () => []);
  const entry = lines.map((line) => line.split(":")).find(([, , id]) => id === String(uid));
  return entry?.[0] || String(uid);
}

function unknown(state: string): Result<never> {
  return err({
    code: "APPROVER_UNKNOWN",
    message: `Cannot tell who asks: ${state}`,
    cure: "use firma token, or firma monitor",
  });
}
