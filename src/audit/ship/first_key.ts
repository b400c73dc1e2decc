import { closedFiles } from "../closed_file.ts";
import { firstLine } from "../first_line.ts";
import { readIfThere } from "../small_files.ts";
import { writeWhole } from "../write_whole.ts";

/** Where it is kept under which key a log is shipped. */
export function firstKeyPath(logPath: string): string {
  return `${logPath}.shipped-as`;
}

/**
 * The key under which a log is shipped: the one that signed the first line that was there when it
 * was shipped first. Later ones follow from what the log says of them. Throws where the log does
 * not say.
 */
export function firstKey(logPath: string): Uint8Array<ArrayBuffer> {
  const kept = readIfThere(firstKeyPath(logPath));
  const text = kept?.trim() ?? keyOfFirstLine(logPath);
  const key = decode(text);
  if (key === undefined) throw new Error("the log does not say which key signed its first line");
  if (kept === undefined) writeWhole(firstKeyPath(logPath), `${text}\n`, 0o600);
  return key;
}

function keyOfFirstLine(logPath: string): string {
  // Packed ones cannot be read in passing; each file begins by saying which key signs it.
  const oldest = closedFiles(logPath).find(({ packing }) => packing === "plain")?.path ?? logPath;
  using file = Deno.openSync(oldest, { read: true });
  const members = firstLine(file);
  return members?.kind === "key" ? String(members.public_key) : "";
}

function decode(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const key = Uint8Array.fromBase64(text);
    return key.length === 32 ? key : undefined;
  } catch {
    return undefined;
  }
}
