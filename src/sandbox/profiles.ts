import { basename } from "../core/path.ts";

/** What a kind of agent needs beyond what every program gets. */
export interface Profile {
  readonly id: string;
  /** Names of programs that this profile is chosen for. */
  readonly commands: readonly string[];
  /** Environment variables that reach the agent; a trailing `*` stands for any ending. */
  readonly passthrough: readonly string[];
  /** Where the agent keeps its own settings and its sign-in; it may write there. */
  readonly settings: readonly SettingsPath[];
  /** What else of the home it may read, below the home. */
  readonly readable: readonly string[];
}

/** A file or directory below the home, unless a variable names another place. */
export interface SettingsPath {
  readonly path: string;
  readonly variable?: string;
  /**
   * What a first run finds there, so that a sign-in lasts: an empty directory, or a file with this
   * text. Without it, only what exists is shown.
   */
  readonly first?: "directory" | { readonly text: string };
}

/** What an operator adds to a profile, or a profile of the operator's own. */
export interface ProfileExtension {
  readonly commands: readonly string[];
  readonly envPassthrough: readonly string[];
  /** Below the home. */
  readonly homeWrite: readonly string[];
  /** Below the home. */
  readonly homeRead: readonly string[];
}

const GENERIC: Profile = {
  id: "generic",
  commands: [],
  passthrough: [],
  settings: [],
  readable: [],
};

const directory = (path: string, variable?: string): SettingsPath => ({
  path,
  first: "directory",
  ...(variable !== undefined && { variable }),
});

/** The profiles that firma brings. */
export const PROFILES: readonly Profile[] = [
  GENERIC,
  {
    ...GENERIC,
    id: "claude-code",
    commands: ["claude"],
    passthrough: [
      ...["ANTHROPIC_*", "CLAUDE_*", "DISABLE_TELEMETRY", "DISABLE_ERROR_REPORTING"],
      ...["API_TIMEOUT_MS", "BASH_DEFAULT_TIMEOUT_MS", "BASH_MAX_TIMEOUT_MS", "MCP_TIMEOUT"],
      ...["MCP_TOOL_TIMEOUT", "MAX_THINKING_TOKENS", "AWS_BEARER_TOKEN_BEDROCK", "AWS_REGION"],
      "CLOUD_ML_REGION",
    ],
    settings: [
      directory(".claude", "CLAUDE_CONFIG_DIR"),
      { path: ".claude.json", first: { text: "{}\n" } },
    ],
  },
  {
    ...GENERIC,
    id: "codex",
    commands: ["codex"],
    passthrough: ["OPENAI_*", "CODEX_*"],
    settings: [directory(".codex", "CODEX_HOME")],
  },
  {
    ...GENERIC,
    id: "copilot",
    commands: ["copilot"],
    passthrough: ["GITHUB_TOKEN", "GH_TOKEN", "COPILOT_*", "GH_COPILOT_TOKEN"],
    settings: [directory(".copilot", "COPILOT_HOME")],
  },
  {
    ...GENERIC,
    id: "gemini",
    commands: ["gemini"],
    passthrough: [
      ...["GEMINI_*", "GOOGLE_API_KEY", "GOOGLE_GENAI_*", "GOOGLE_CLOUD_PROJECT"],
      ...["GOOGLE_CLOUD_PROJECT_ID", "GOOGLE_CLOUD_LOCATION", "GOOGLE_GEMINI_BASE_URL"],
    ],
    settings: [directory(".gemini")],
  },
  {
    ...GENERIC,
    id: "opencode",
    commands: ["opencode"],
    passthrough: [
      ...["OPENCODE_*", "ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY"],
      ...["GOOGLE_GENERATIVE_AI_API_KEY", "OPENROUTER_API_KEY", "GROQ_API_KEY"],
      ...["MISTRAL_API_KEY", "XAI_API_KEY", "DEEPSEEK_API_KEY", "GITHUB_TOKEN"],
    ],
    settings: [
      directory(".config/opencode"),
      directory(".local/share/opencode"),
      directory(".local/state/opencode"),
      directory(".cache/opencode"),
    ],
  },
];

/** firma's profiles with what an operator added to them, and the operator's own. */
export function extendProfiles(
  extensions: Readonly<Record<string, ProfileExtension>>,
): readonly Profile[] {
  const extended = PROFILES.map((profile) => {
    const extension = extensions[profile.id];
    return extension === undefined ? profile : extend(profile, extension);
  });
  const own = Object.entries(extensions).filter(([id]) =>
    !PROFILES.some((profile) => profile.id === id)
  );
  return [...extended, ...own.map(([id, extension]) => extend({ ...GENERIC, id }, extension))];
}

function extend(profile: Profile, extension: ProfileExtension): Profile {
  return {
    id: profile.id,
    commands: [...profile.commands, ...extension.commands],
    passthrough: [...profile.passthrough, ...extension.envPassthrough],
    settings: [...profile.settings, ...extension.homeWrite.map((path) => ({ path }))],
    readable: [...profile.readable, ...extension.homeRead],
  };
}

/** The profile with this id, or `undefined`. */
export function profileById(
  id: string,
  profiles: readonly Profile[] = PROFILES,
): Profile | undefined {
  return profiles.find((profile) => profile.id === id);
}

/** The profile for a command by the name of its program; `generic` for one that none names. */
export function profileForCommand(
  program: string,
  profiles: readonly Profile[] = PROFILES,
): Profile {
  const name = basename(program);
  return profiles.find((profile) => profile.commands.includes(name)) ?? GENERIC;
}
