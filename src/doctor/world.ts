import type { Project } from "./project.ts";
import type { HeldLimit } from "../sandbox/limits/plan.ts";
import type { Preflight } from "../sandbox/preflight/preflight.ts";

/** What a program that was run has said. */
export interface Output {
  readonly code: number;
  readonly stdout: string;
}

/** Where a connection can be tried. */
export type Endpoint =
  | { readonly transport: "unix"; readonly path: string }
  | { readonly transport: "tcp"; readonly hostname: string; readonly port: number };

/** What became of a connection; `refused`: nobody listens there, for certain. */
export type Answer = "accepted" | "refused" | "silent";

/** What the checks may ask of the machine. */
export interface World {
  /** The environment, with `FIRMA_STATE_DIR` set where `--state-dir` says so. */
  readonly env: Readonly<Record<string, string>>;
  /** `null` where there is no such thing. */
  readonly uid: number | null;
  /** How long an answer from the network may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Text of a small file of the system; `undefined` where there is none that can be read. */
  setting(path: string): string | undefined;
  /** Where a program lies on `PATH`. */
  findProgram(name: string): string | undefined;
  /** Runs a program without an environment; `undefined` when it cannot be run or takes too long. */
  execute(program: string, args: readonly string[]): Promise<Output | undefined>;
  /** The addresses of a host. Rejects when there are none within {@linkcode timeoutMs}. */
  lookup(host: string): Promise<readonly string[]>;
  /** What becomes of a connection within {@linkcode timeoutMs}. */
  knock(endpoint: Endpoint): Promise<Answer>;
  /** Bytes that this user may still write below a directory that is there. */
  freeBytes(directory: string): Promise<number>;
  /** The configuration in force, read once. */
  project(): Project;
  /** Both layers of the sandbox, started once and ended again. */
  preflight(): Promise<Preflight>;
  /** What would hold each limit of an agent. */
  limits(): readonly HeldLimit[];
}
