import type { NoticeLevel } from "../daemon/helper_process.ts";
import type { SidecarWish } from "./choose_sidecar.ts";

/** What `firma run` was asked to do. */
export interface RunOptions {
  /** The program and its arguments. */
  readonly command: readonly [string, ...string[]];
  /** Where the command starts. */
  readonly cwd: string;
  /** What is opened to it: `cwd`, or a directory around that. */
  readonly workspace: string;
  readonly env: Readonly<Record<string, string>>;
  /** `--config` */
  readonly configFlag?: string | undefined;
  /** `--profile` */
  readonly profile?: string | undefined;
  /** `--posture`, for a new configuration. */
  readonly posture?: string | undefined;
  /** `--mapping`, for a new configuration. */
  readonly mappings: readonly string[];
  /** `--capability-file`: holds a token that was issued beforehand. Absolute. */
  readonly capabilityFile?: string | undefined;
  /** `--sidecar`, `--no-autostart` and `--sidecar-startup-timeout-secs`. */
  readonly sidecar: SidecarWish;
  /** `--authority`: goes before the one that the configuration names. */
  readonly authority?: string | undefined;
  /** `--agent`: a name in the registry of the Authority. */
  readonly agent?: string | undefined;
  /** `--monitor`: deny nothing that policies deny, and record it. */
  readonly monitor: boolean;
  /** `--allow-write`: sealed paths that the agent may write after all. Absolute. */
  readonly allowWrite?: readonly string[] | undefined;
  /** `--yes`: do not ask. */
  readonly yes: boolean;
  /** `--trust`: use the configuration whatever is in it. */
  readonly trust: boolean;
}

/** How a run speaks to the person who started it. Texts are not escaped. */
export interface RunInterface {
  /** Whether there is a person at a terminal to answer a question. */
  readonly interactive: boolean;
  /** Says one line. */
  tell(level: NoticeLevel, text: string): void;
  /** Asks a question that `explanation` leads to. */
  confirm(explanation: readonly string[], question: string): Promise<boolean>;
}
