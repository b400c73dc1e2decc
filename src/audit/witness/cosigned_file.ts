import { readIfThere, replaceFile } from "../small_files.ts";

/** Where the last checkpoint of a log lies that a witness cosigned. */
export function cosignedPath(logPath: string): string {
  return `${logPath}.cosigned`;
}

/** The checkpoint beside a log that a witness cosigned; `undefined` without one. */
export function readCosignedNote(logPath: string): string | undefined {
  return readIfThere(cosignedPath(logPath));
}

/** Puts a cosigned checkpoint beside a log, whole or not at all. */
export function writeCosignedNote(logPath: string, note: string): void {
  replaceFile(cosignedPath(logPath), note);
}
