import { parseClaim, type TreeHead } from "../../audit/checkpoint.ts";
import { findCosignature, parseWitness } from "../../audit/witness/cosignature.ts";
import { cosignedPath, readCosignedNote } from "../../audit/witness/cosigned_file.ts";
import { join } from "../../core/path.ts";
import { err, ok, type Result } from "../../core/result.ts";

/** What a witness saw of a log, and when. */
export interface WitnessedHead extends TreeHead {
  readonly witness: string;
  /** RFC 3339. */
  readonly time: string;
}

/**
 * The last checkpoint of the log at `path`, which may be its directory, that the witness has
 * cosigned. `given` is the witness, `<name>+<id>+<key>`, or a file that holds it.
 */
export function witnessedHead(
  path: string,
  given: string,
): Result<WitnessedHead> {
  const witness = parseWitness(isFile(given) ? Deno.readTextFileSync(given) : given);
  if (!witness.ok) return witness;
  const log = logOf(path);
  const refuse = (state: string) =>
    err({
      code: "NOT_COSIGNED",
      message: `Cannot hold the audit log "${path}" against what its witness saw: ${state}`,
      cure: "copy audit.jsonl.cosigned from beside the log, or name the witness that it has",
    });
  const note = readCosignedNote(log);
  if (note === undefined) return refuse(`there is no "${cosignedPath(log)}"`);
  // That one of its keys signed it the witness has seen, and its signature is over the same text.
  const checkpoint = parseClaim(note);
  if (!checkpoint.ok) return checkpoint;
  const cosignature = findCosignature(note, witness.value);
  if (cosignature === undefined) return refuse("this witness has not cosigned it");
  const { size, root } = checkpoint.value;
  const time = new Date(cosignature.time * 1_000).toISOString().replace(".000", "");
  return ok({ size, root, witness: witness.value.name, time });
}

/** The log that a directory holds. */
function logOf(path: string): string {
  try {
    if (!Deno.statSync(path).isDirectory) return path;
    const [only] = [...Deno.readDirSync(path)].filter(({ name }) => name.endsWith(".cosigned"));
    return join(path, only?.name.replace(/\.cosigned$/, "") ?? "audit.jsonl");
  } catch {
    return path; // whoever reads it says what is wrong
  }
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
