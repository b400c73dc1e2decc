import { dirname } from "../../core/path.ts";
import { shellWord } from "../../core/shell.ts";
import { editCommand } from "../commands.ts";
import type { Finding } from "../finding.ts";

const OTHERS_WRITE = 0o022;
/** Groups of administrators write directories on many systems, and may do so. */
const ANYBODY_WRITES = 0o002;
/** Only the owner of a file takes it away. */
const STICKY = 0o1000;
const EXECUTABLE = 0o111;

/** Whose programs they are, and where that is said. */
export interface ProgramOwner {
  /** As people call it. */
  readonly label: string;
  /** The `firma.toml`. */
  readonly file: string;
}

/**
 * What is wrong with a program that runs outside of sandboxes: that it is not there, cannot be run,
 * or could become another one by the hand of another user of this machine.
 */
export function hostProgramFindings(path: string, { label, file }: ProgramOwner): Finding[] {
  const fail = (reason: string): Finding[] => [
    { status: "fail", reason: `${label}: ${reason}`, cure: editCommand(file) },
  ];
  let place: string;
  let entry: Deno.FileInfo;
  try {
    place = Deno.realPathSync(path);
    entry = Deno.statSync(place);
  } catch {
    return fail(`there is no program "${path}"`);
  }
  const mode = entry.mode ?? EXECUTABLE;
  if (!entry.isFile || (mode & EXECUTABLE) === 0) return fail(`"${path}" is not a program`);
  if ((mode & OTHERS_WRITE) !== 0) {
    const reason = `${label}: others can write the program "${path}"`;
    return [{ status: "warn", reason, cure: `chmod go-w ${shellWord(place)}` }];
  }
  const open = [...new Set([...above(path), ...above(place)])].find(isOpen);
  if (open === undefined) return [];
  const reason = `${label}: others can put another program in the place of "${path}"`;
  return [{ status: "warn", reason, cure: `chmod o-w ${shellWord(open)}` }];
}

/** The directories that a path goes through, itself not among them. */
function above(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [] : [parent, ...above(parent)];
}

function isOpen(directory: string): boolean {
  try {
    const mode = Deno.statSync(directory).mode ?? 0;
    return (mode & ANYBODY_WRITES) !== 0 && (mode & STICKY) === 0;
  } catch {
    return false;
  }
}
