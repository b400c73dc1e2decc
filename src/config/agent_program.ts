import { basename } from "../core/path.ts";

/** The programs of agents by the package that `npx` and its kind start. */
const AGENT_PACKAGES: Readonly<Record<string, string>> = {
  "@anthropic-ai/claude-code": "claude",
  "@openai/codex": "codex",
  "@github/copilot": "copilot",
  "@google/gemini-cli": "gemini",
  "opencode-ai": "opencode",
};

const PACKAGE_RUNNERS = new Set(["npx", "pnpx", "bunx", "npm", "pnpm", "yarn", "bun"]);

/** The program that a command starts, seen through package runners such as `npx`. */
export function programOf(command: readonly string[]): string {
  const program = basename(command[0] ?? "");
  if (!PACKAGE_RUNNERS.has(program)) return program;
  for (const word of command.slice(1)) {
    const name = word.replace(/(?<=.)@[^/]*$/, ""); // without its version
    if (Object.hasOwn(AGENT_PACKAGES, name)) return AGENT_PACKAGES[name]!;
  }
  return program;
}
