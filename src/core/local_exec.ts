/**
 * What the execution gate in a sandbox and the Sidecar say to each other: one JSON object a line,
 * over a connection to the session's socket that says so in its PROXY header. What runs by standing
 * answers is written into a file beside that socket, one {@linkcode Execution} a line, before it runs;
 * only how far is said here.
 */

/** The file's name. */
export const SPOOL_NAME = "executions";

/** A program that is about to run, as the gate found it. */
export interface Execution {
  readonly pid: number;
  /** As the caller named it. */
  readonly path: string;
  /** The file that this is, all links followed. */
  readonly file: string;
  /** The names that the program goes by: of the path, of the file, its own first argument. */
  readonly names: readonly string[];
  /** All of it for a governed program; else its beginning. */
  readonly argv: readonly string[];
  /** How many arguments there are. */
  readonly argc: number;
  readonly cwd: string;
  /** The file is a script: what runs it. */
  readonly interpreter?: Interpreter;
  /** Of a governed program, unless it is very large: the SHA-256 of the file, in hex. */
  readonly sha256?: string;
  /** Variables that change what it does; unknown where an answer stands for its program. */
  readonly environment?: Readonly<Record<string, string>>;
  /** A shim in the place of the program has asked, because the kernel does not. */
  readonly gate?: "shims";
}

/**
 * All that a gate asks about an execution, as one text: two with the same text differ in nothing that
 * is decided by, as long as their files are the same.
 */
export function questionOf(execution: Execution): string {
  return JSON.stringify({ ...execution, pid: 0 });
}

/** What runs a script, by its first line. */
export interface Interpreter {
  readonly file: string;
  readonly names: readonly string[];
  readonly argument?: string;
}

/** How many files an argument holds by itself, and with all below it where that is known. */
export type HeldFiles = readonly [path: string, files: number, below?: number];

/** From the gate. */
export type GateMessage =
  /** May this run? `held` are files that the Sidecar would ask to count, as far as they are known. */
  | {
    readonly kind: "ask";
    readonly number: number;
    readonly execution: Execution;
    readonly held?: readonly HeldFiles[];
  }
  /** As many files lie where the Sidecar asked to count; `undefined` when that cannot be told. */
  | { readonly kind: "counted"; readonly number: number; readonly files?: number }
  /** In what state the files are that decide what this does; `undefined` when that cannot be told. */
  | {
    readonly kind: "stated";
    readonly number: number;
    readonly files?: readonly (readonly [path: string, state: string])[];
  }
  /** What is to be read of the file begins so many bytes from its beginning. Once, at first. */
  | { readonly kind: "spool"; readonly from: number }
  /** Programs run by standing answers: the file tells which, up to so many bytes. */
  | { readonly kind: "ran"; readonly to: number }
  /** What was asked for has gone away. */
  | { readonly kind: "gone"; readonly number: number }
  /** What ran then was not what was allowed, and has been ended. */
  | { readonly kind: "ended"; readonly execution: Execution; readonly detail: string };

/** From the Sidecar. */
export type SidecarMessage =
  | {
    readonly kind: "hello";
    /** Names of programs whose every execution is asked for, with all that it says. */
    readonly governed: readonly string[];
    /** Those of them that do what their arguments name without executing it. */
    readonly carriers: readonly string[];
    /** Those of them of which it is asked how many files their arguments hold. */
    readonly deleting?: readonly string[];
  }
  | {
    readonly kind: "answer";
    readonly number: number;
    readonly allow: boolean;
    /**
     * The same holds until `forget`: for this file by these names, whatever its arguments, or for
     * the same question about the same file.
     */
    readonly standing?: "program" | "question";
  }
  /** How many files do these paths hold? The answer to a question waits for that. */
  | {
    readonly kind: "count";
    readonly number: number;
    readonly paths: readonly string[];
    /** Below directories too. */
    readonly recursive: boolean;
  }
  /** In what state are the files that decide what this does? A person is asked about them. */
  | { readonly kind: "state"; readonly number: number }
  /** A decision takes longer: a person is asked. */
  | { readonly kind: "held"; readonly number: number }
  /** What the file tells up to there is on its way to the audit log. */
  | { readonly kind: "taken"; readonly to: number }
  /** No standing answer holds any more. */
  | { readonly kind: "forget" };

/** How many characters one message may have. */
export const LONGEST_MESSAGE = 8 * 1024 * 1024;
