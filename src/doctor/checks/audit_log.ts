import { backlogOf, waitingText } from "../../audit/ship/backlog.ts";
import { parseCheckpoint } from "../../audit/checkpoint.ts";
import { readCheckpointNote } from "../../audit/checkpoint_file.ts";
import { isSignedBy } from "../../audit/verify_line.ts";
import { readTail } from "../../audit/tail.ts";
import { dataDir } from "../../config/paths.ts";
import { join } from "../../core/path.ts";
import { shellWord } from "../../core/shell.ts";
import { readPublicKeyFile } from "../../pki/signing_key.ts";
import { auditPathOf } from "../audit_path.ts";
import type { Check } from "../check.ts";
import { trustedProject } from "../project.ts";
import { type Finding, fine } from "../finding.ts";
import type { World } from "../world.ts";

/**
 * Whether the last checkpoint of the audit log is signed and the log as long as it says. Every
 * line of a log is proved by `firma audit verify`.
 */
export const auditLogCheck: Check = {
  category: "audit log",
  async run(world) {
    const path = auditPathOf(world);
    if (path === undefined) return [fine("none: there is no home directory")];
    const note = readCheckpointNote(path);
    const log = readEnd(path);
    if (log === "missing" && note === undefined) return [fine("none yet")];
    const verify = `firma audit verify ${shellWord(path)}`;
    const broken = (reason: string): Finding[] => [{ status: "fail", reason, cure: verify }];
    if (log === "missing") return broken(`"${path}" is gone, and its checkpoint is there`);
    if (typeof log === "string") return broken(log);
    if (note === undefined) {
      if (log.head.seq === 0) return [fine("empty")];
      const reason = "no checkpoint beside it: lines missing at its end would not show";
      return [{ status: "warn", reason, cure: verify }];
    }
    const key = await publicKey(world);
    if (key === undefined) {
      const reason = "its public key is not where it was: the checkpoint cannot be judged";
      return [{ status: "warn", reason, cure: `${verify} --public-key audit.key.pub` }];
    }
    const checkpoint = parseCheckpoint(note, [key]);
    if (!checkpoint.ok) return broken(checkpoint.error.message);
    const { size } = checkpoint.value;
    if (log.head.seq < size) {
      return broken(`it has ${log.head.seq} lines; its checkpoint vouches for ${size}`);
    }
    if (log.lastLine !== undefined && !isSignedBy(log.lastLine, key)) {
      return broken(`its last line, ${log.head.seq}, is not signed by its key`);
    }
    const whole = fine(`${log.head.seq} lines, checkpoint at line ${size}`, path);
    return [whole, ...shippingFindings(world)];
  },
};

/** Whether more lines wait to be shipped than the configuration lets wait. */
function shippingFindings(world: World): Finding[] {
  const audit = trustedProject(world.project())?.config.sidecar.audit;
  if (audit === undefined) return [];
  const { filePath, shipping: { kinds, maxLag } } = audit;
  // Standard output is somebody's only while a Sidecar runs in the foreground.
  return kinds.filter((sink) => sink !== "stdout").map((sink): Finding => {
    const waiting = backlogOf(filePath, sink);
    if (waiting <= maxLag) return fine(`sink "${sink}": ${waitingText(waiting)}`);
    return {
      status: "warn",
      reason: `sink "${sink}": ${waitingText(waiting)}, and max_lag is ${maxLag}`,
      cure: "firma sidecar status",
    };
  });
}

/** The end of the log, or what is wrong with it. */
function readEnd(path: string) {
  try {
    using file = Deno.openSync(path, { read: true });
    const { isFile, size } = file.statSync();
    if (!isFile) return `"${path}" is not a regular file`;
    const tail = readTail(file, path, size);
    return tail.ok ? tail.value : tail.error.message;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return "missing";
    return cause instanceof Error ? cause.message : String(cause);
  }
}

async function publicKey({ env }: World): Promise<Uint8Array | undefined> {
  const key = await readPublicKeyFile(join(dataDir(env), "keys/audit.key.pub"));
  return key.ok ? key.value : undefined;
}
