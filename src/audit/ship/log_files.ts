import { dirname } from "../../core/path.ts";
import { closedFiles, type Packing } from "../closed_file.ts";
import { firstLine } from "../first_line.ts";
import { unpackedBytes } from "../packing.ts";
import { readTail } from "../tail.ts";
import type { LogPosition } from "./destination.ts";

/** One of the files that hold the lines of a log. */
export interface LogFileRange {
  readonly path: string;
  /** `seq` of its first line. */
  readonly first: number;
  readonly packing: Packing;
}

/** The files of a log that hold lines, oldest first. Throws what the file system throws. */
export function logFiles(logPath: string): readonly LogFileRange[] {
  // In this order: what is closed meanwhile is then there twice, and not missing.
  const first = firstSeq(logPath);
  const closed = closedFiles(logPath);
  const open = first === undefined ? [] : [{ path: logPath, first, packing: "plain" as const }];
  return [...closed.filter((file) => first === undefined || file.first < first), ...open];
}

/** Opens a file of a log for reading, whatever it is packed in. */
export async function openUnpacked({ path, packing }: LogFileRange): Promise<Deno.FsFile> {
  if (packing === "plain") return await Deno.open(path, { read: true });
  const name = await Deno.makeTempFile({ dir: dirname(path), prefix: ".unpacked-" });
  const file = await Deno.open(name, { read: true, write: true });
  // It has no name from here on, so that nothing is left of it whatever becomes of this process.
  await Deno.remove(name);
  for await (const bytes of unpackedBytes(path, packing)) {
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
  }
  return file;
}

/** Where a log ends; before the first line where there is none, or the end is none of ours. */
export function endOfLog(logPath: string): LogPosition {
  try {
    using file = Deno.openSync(logPath, { read: true });
    const tail = readTail(file, logPath, file.statSync().size);
    if (tail.ok && tail.value.head.seq > 0) return tail.value.head;
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
  }
  return { seq: 0, hash: "" };
}

function firstSeq(path: string): number | undefined {
  try {
    using file = Deno.openSync(path, { read: true });
    const seq = firstLine(file)?.seq;
    return Number.isSafeInteger(seq) ? seq as number : undefined;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw cause;
  }
}
