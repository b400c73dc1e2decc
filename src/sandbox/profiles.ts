import { basename } from "../core/path.ts";

/** What a kind of agent needs beyond what every program gets. */
export interface Profile {
  readonly id: string;
  /** Names of programs that this profile is chosen for. */
  readonly commands: readonly string[];
  /** Environment variables that reach the agent; a trailing `*` stands for any ending. */
  readonly passthrough: readonly string[];
  /** Where the agent keeps its own settings; it may write there. */
  readonly settings: readonly SettingsPath[];
}

/** A file or directory below the home, unless a variable names another place. */
export interface SettingsPath {
  readonly path: string;
  readonly variable?: string;
}

const GENERIC: Profile = { id: "generic", commands: [], passthrough: [], settings: [] };

/** The profiles that firma knows. */
export const PROFILES: readonly Profile[] = [
  GENERIC,
  {
    id: "claude-code",
    commands: ["claude"],
    passthrough: ["ANTHROPIC_*", "CLAUDE_*", "DISABLE_TELEMETRY", "DISABLE_ERROR_REPORTING"],
    settings: [{ path: ".claude", variable: "CLAUDE_CONFIG_DIR" }, { path: ".claude.json" }],
  },
  {
    id: "codex",
    commands: ["codex"],
    passthrough: ["OPENAI_*", "CODEX_*"],
    settings: [{ path: ".codex", variable: "CODEX_HOME" }],
  },
  {
    id: "copilot",
    commands: ["copilot"],
    passthrough: ["GITHUB_TOKEN", "GH_TOKEN", "COPILOT_*", "GH_COPILOT_TOKEN"],
    settings: [{ path: ".copilot", variable: "COPILOT_HOME" }],
  },
];

/** The profile with this id, or `undefined`. */
export function profileById(id: string): Profile | undefined {
  return PROFILES.find((profile) => profile.id === id);
}

/** The profile for a command by the name of its program; `generic` for one that none names. */
export function profileForCommand(program: string): Profile {
  const name = basename(program);
  return PROFILES.find((profile) => profile.commands.includes(name)) ?? GENERIC;
}
