import type { WishFlags } from "../run/wishes.ts";

/** What `firma run` was given on the command line, before and behind the program to run. */
export interface RunFlags extends WishFlags {
  readonly config?: string;
  readonly profile?: string;
  readonly posture?: string;
  readonly mapping?: string[];
  readonly allowWrite?: string[];
  readonly workspace?: string;
  readonly yes?: boolean;
  readonly trust?: boolean;
  readonly printEffectiveConfig?: boolean;
  readonly stateDir?: string;
}

/** A command line of `firma run` that was understood. */
export interface RunLine {
  readonly program: string;
  /** The arguments of the program. */
  readonly words: string[];
  readonly flags: RunFlags;
}

const SWITCHES: Readonly<
  Record<string, readonly ["yes" | "trust" | "monitor" | "autostart", boolean]>
> = {
  "-y": ["yes", true],
  "--yes": ["yes", true],
  "--trust": ["trust", true],
  "--monitor": ["monitor", true],
  "--no-autostart": ["autostart", false],
};

type ValueFlag =
  | "config"
  | "profile"
  | "posture"
  | "mapping"
  | "capabilityFile"
  | "allowWrite"
  | "workspace"
  | "backend"
  | "sidecar"
  | "sidecarStartupTimeoutSecs"
  | "authority"
  | "authorityProfile"
  | "agent"
  | "stateDir";

const VALUES: Readonly<Record<string, ValueFlag>> = {
  "-c": "config",
  "--config": "config",
  "--profile": "profile",
  "--posture": "posture",
  "--mapping": "mapping",
  "--capability-file": "capabilityFile",
  "--backend": "backend",
  "--sidecar": "sidecar",
  "--sidecar-startup-timeout-secs": "sidecarStartupTimeoutSecs",
  "--authority": "authority",
  "--authority-profile": "authorityProfile",
  "--agent": "agent",
  "--state-dir": "stateDir",
  "--allow-write": "allowWrite",
  "--workspace": "workspace",
};

/**
 * Reads what follows `run` on a plain command line, as the full parser would.
 * `undefined` for everything else: for help, for a mistake that somebody has to
 * be told of, and for each way to write a flag that is seldom used. The full
 * parser takes longer to load than all of firma that a run needs.
 */
export function parseRunLine(args: readonly string[]): RunLine | undefined {
  const flags: { -readonly [K in keyof RunFlags]: RunFlags[K] } = {};
  for (let i = 0; i < args.length; i++) {
    const word = args[i]!;
    if (!word.startsWith("-") || word === "--") {
      const [program, ...words] = args.slice(word === "--" ? i + 1 : i);
      return program === undefined ? undefined : { program, words, flags };
    }
    if (Object.hasOwn(SWITCHES, word)) {
      const [name, value] = SWITCHES[word]!;
      flags[name] = value;
      continue;
    }
    const value = args[++i];
    if (!Object.hasOwn(VALUES, word) || !value || value.startsWith("-")) return undefined;
    const name = VALUES[word]!;
    if (name === "mapping" || name === "allowWrite") flags[name] = [...flags[name] ?? [], value];
    else flags[name] = value;
  }
}
