import { parseLine } from "./verify_line.ts";

/** No first line of a log is longer: it tells of a key, or of what came before. */
const MOST_BYTES = 65_536;
const NEWLINE = 0x0a;

/** The members of the first line of a file; `undefined` where there is none, or none of ours. */
export function firstLine(file: Deno.FsFile): Readonly<Record<string, unknown>> | undefined {
  const bytes = new Uint8Array(MOST_BYTES);
  file.seekSync(0, Deno.SeekMode.Start);
  let length = 0;
  while (length < bytes.length) {
    const read = file.readSync(bytes.subarray(length)) ?? 0;
    length += read;
    if (read === 0 || bytes.subarray(length - read, length).includes(NEWLINE)) break;
  }
  const end = bytes.subarray(0, length).indexOf(NEWLINE);
  if (end < 0) return undefined;
  const line = parseLine(bytes.subarray(0, end));
  return line.ok ? line.value.members : undefined;
}
