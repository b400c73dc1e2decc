/** Agents of the table, as npm ships them, against a stand-in for their vendor's API. */
import { ANTHROPIC } from "./vendors/anthropic.ts";
import { GOOGLE } from "./vendors/google.ts";
import { OPENAI } from "./vendors/openai.ts";
import type { Vendor } from "./vendors/vendor.ts";

/** An agent that answers one prompt and ends. */
export interface Agent {
  readonly name: string;
  /** The npm package, with its version, and the program that it brings. */
  readonly npm: string;
  readonly program: string;
  /** The directory of this project that brings the program, where the package is a library. */
  readonly example?: string;
  readonly vendor: Vendor;
  /** The mapping pack for its vendor. */
  readonly mapping: string;
  /** Variables in which it looks for its key; it finds a placeholder there. */
  readonly env: readonly string[];
  /** The key that its vendor wants to see, and the header that it wants to see it in. */
  readonly key: string;
  readonly header: "authorization" | "x-api-key" | "x-goog-api-key";
  /** Files of its home. */
  readonly home?: Readonly<Record<string, string>>;
  /** Its arguments for a prompt; it may run every command that it is asked to run. */
  readonly words: (prompt: string) => readonly string[];
}

/** All of them, in the order of the table. */
export const AGENTS: readonly Agent[] = [
  {
    name: "claude-code",
    npm: "@anthropic-ai/claude-code@2.1.330",
    program: "claude",
    vendor: ANTHROPIC,
    mapping: "anthropic",
    env: ["ANTHROPIC_API_KEY"],
    key: "sk-ant-api03-the-key-that-the-vendor-knows",
    header: "x-api-key",
    words: (prompt) => ["-p", prompt, "--allowedTools", "Bash"],
  },
  {
    name: "codex",
    npm: "@openai/codex@0.169.0",
    program: "codex",
    vendor: OPENAI,
    mapping: "openai",
    env: ["OPENAI_API_KEY", "CODEX_API_KEY"],
    key: "sk-the-key-that-the-vendor-knows",
    header: "authorization",
    home: { ".codex/config.toml": `model = "gpt-5"\n` },
    words: (prompt) => [
      "exec",
      "--skip-git-repo-check",
      "--dangerously-bypass-approvals-and-sandbox",
      prompt,
    ],
  },
  {
    name: "gemini-cli",
    npm: "@google/gemini-cli@0.61.0",
    program: "gemini",
    vendor: GOOGLE,
    mapping: "gemini",
    env: ["GEMINI_API_KEY"],
    key: "AIza-the-key-that-the-vendor-knows",
    header: "x-goog-api-key",
    home: { ".gemini/settings.json": `{"security":{"auth":{"selectedType":"gemini-api-key"}}}\n` },
    words: (prompt) => ["--skip-trust", "--yolo", "--prompt", prompt],
  },
  {
    name: "opencode",
    npm: "opencode-ai@1.18.33",
    program: "opencode",
    vendor: ANTHROPIC,
    mapping: "anthropic",
    env: ["ANTHROPIC_API_KEY"],
    key: "sk-ant-api03-the-key-that-the-vendor-knows",
    header: "x-api-key",
    home: { ".config/opencode/opencode.json": `{"autoupdate": false}\n` },
    words: (prompt) => ["run", "--model", "anthropic/claude-sonnet-4-5", prompt],
  },
  {
    name: "OpenAI Agents SDK (example)",
    npm: "@openai/agents@0.20.0",
    program: "risky-openai-agent",
    example: "docs/examples/agents/openai",
    vendor: OPENAI,
    mapping: "openai",
    env: ["OPENAI_API_KEY"],
    key: "sk-the-key-that-the-vendor-knows",
    header: "authorization",
    words: (prompt) => [prompt],
  },
  {
    name: "Google ADK (example)",
    npm: "@google/adk@2.0.0",
    program: "risky-adk-agent",
    example: "docs/examples/agents/adk",
    vendor: GOOGLE,
    mapping: "gemini",
    env: ["GEMINI_API_KEY"],
    key: "AIza-the-key-that-the-vendor-knows",
    header: "x-goog-api-key",
    words: (prompt) => [prompt],
  },
];
