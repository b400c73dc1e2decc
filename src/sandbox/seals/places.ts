/** What programs of the host read from a project and run: not for an agent to write. */
export interface SealedPlace {
  /** Below the workspace, or below the root of a repository in it. */
  readonly path: string;
  readonly kind: "directory" | "file";
  /** Who runs what stands there. */
  readonly runs: string;
  /** `itself`: nobody looks there in a project that has none. `parent`: see below. */
  readonly onlyWith?: "itself" | "parent";
}

/** Sealed whether they exist or not. Repositories have places of their own. */
export const SEALED_PLACES: readonly SealedPlace[] = [
  { path: ".envrc", kind: "file", runs: "direnv runs it as a shell script" },
  { path: ".vscode", kind: "directory", runs: "Visual Studio Code runs its tasks and settings" },
  { path: ".idea", kind: "directory", runs: "JetBrains IDEs run its configurations" },
  { path: ".zed", kind: "directory", runs: "Zed runs its tasks and language servers" },
  { path: ".cursor", kind: "directory", runs: "Cursor runs its hooks and MCP servers" },
  { path: ".claude/settings.json", kind: "file", runs: "Claude Code runs its hooks" },
  { path: ".claude/settings.local.json", kind: "file", runs: "Claude Code runs its hooks" },
  {
    path: ".claude/hooks",
    kind: "directory",
    runs: "Claude Code's settings name programs in it",
    onlyWith: "itself",
  },
  { path: ".mcp.json", kind: "file", runs: "Claude Code starts its MCP servers" },
  { path: ".codex", kind: "directory", runs: "Codex runs its hooks and MCP servers" },
  { path: ".gemini", kind: "directory", runs: "Gemini CLI runs its hooks and MCP servers" },
  { path: ".github/hooks", kind: "directory", runs: "Copilot CLI runs its hooks" },
  ...["plugin", "plugins", "tool", "tools"].map((name): SealedPlace => ({
    path: `.opencode/${name}`,
    kind: "directory",
    runs: "opencode runs what is in it",
    onlyWith: "parent",
  })),
  ...["opencode.json", "opencode.jsonc"].map((name): SealedPlace => ({
    path: `.opencode/${name}`,
    kind: "file",
    runs: "opencode starts its MCP servers",
    onlyWith: "parent",
  })),
  { path: ".husky", kind: "directory", runs: "git runs its hooks", onlyWith: "itself" },
  { path: "opencode.json", kind: "file", runs: "opencode starts its MCP servers" },
  { path: "opencode.jsonc", kind: "file", runs: "opencode starts its MCP servers" },
];

/**
 * Taken away after a run that made it. opencode writes into the directory, and ends where it is there
 * and cannot be written; so it is sealed in parts, and only where the project has one.
 */
export const UNMADE_PLACES: readonly string[] = [".opencode"];

/** What a sealed file that does not exist reads as: what its reader takes for no settings. */
export function emptyContent(path: string): string {
  return /\.jsonc?$/.test(path) ? "{}\n" : "";
}
