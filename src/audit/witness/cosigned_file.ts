import { writeAll } from "../write_all.ts";

/** Where the last checkpoint of a log lies that a witness cosigned. */
export function cosignedPath(logPath: string): string {
  return `${logPath}.cosigned`;
}

/** The checkpoint beside a log that a witness cosigned; `undefined` without one. */
export function readCosignedNote(logPath: string): string | undefined {
  try {
    return Deno.readTextFileSync(cosignedPath(logPath));
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw cause;
  }
}

/** Puts a cosigned checkpoint beside a log, whole or not at all. */
export function writeCosignedNote(logPath: string, note: string): void {
  const target = cosignedPath(logPath);
  const draft = `${target}.new`;
  {
    const options = { write: true, create: true, truncate: true, mode: 0o600 };
    using file = Deno.openSync(draft, options);
    writeAll(file, new TextEncoder().encode(note));
    file.syncSync();
  }
  Deno.renameSync(draft, target);
}
