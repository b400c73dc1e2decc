import { readPack } from "../../config/packs.ts";
import { ok, type Result } from "../../core/result.ts";

/** A call that only the right credential succeeds at, and that changes nothing. */
export interface ServiceProbe {
  readonly path: string;
  readonly headers?: readonly (readonly [string, string])[];
}

/** A service that needs no explanation. */
export interface KnownService {
  readonly name: string;
  /** What the secret is called there, and where it is made. */
  readonly secret: string;
  readonly hosts: readonly string[];
  /** @default every path */
  readonly paths?: readonly string[];
  /** @default {"authorization"} */
  readonly header?: string;
  readonly basicUser?: string;
  /** Variables that its clients look for the secret in. */
  readonly env: readonly string[];
  /** For the first host. */
  readonly probe?: ServiceProbe;
}

const ANTHROPIC_VERSION = [["anthropic-version", "2023-06-01"]] as const;

const SERVICES: readonly KnownService[] = [
  {
    name: "anthropic",
    secret: "API key, sk-ant-api…, from the Claude Console",
    hosts: ["api.anthropic.com"],
    header: "x-api-key",
    env: ["ANTHROPIC_API_KEY"],
    probe: { path: "/v1/models", headers: ANTHROPIC_VERSION },
  },
  {
    name: "claude",
    secret: "token of a subscription, sk-ant-oat…, that claude setup-token prints",
    hosts: ["api.anthropic.com"],
    env: ["CLAUDE_CODE_OAUTH_TOKEN"],
  },
  {
    name: "codex",
    secret: "access token of a subscription, which lasts for days",
    hosts: ["chatgpt.com"],
    env: [],
  },
  {
    name: "copilot",
    secret: "token of GitHub, github_pat_… with the permission Copilot Requests",
    hosts: [
      "api.githubcopilot.com",
      "api.individual.githubcopilot.com",
      "api.business.githubcopilot.com",
      "api.enterprise.githubcopilot.com",
      "api.github.com",
    ],
    env: ["COPILOT_GITHUB_TOKEN"],
  },
  {
    name: "gemini",
    secret: "API key from Google AI Studio",
    hosts: ["generativelanguage.googleapis.com"],
    header: "x-goog-api-key",
    env: ["GEMINI_API_KEY"],
    probe: { path: "/v1beta/models" },
  },
  {
    name: "github",
    secret: "token, github_pat_… or ghp_…, from Settings, Developer settings",
    // git wants Basic, and the interface takes it too.
    hosts: ["api.github.com", "uploads.github.com", "github.com"],
    basicUser: "x-access-token",
    env: ["GH_TOKEN", "GITHUB_TOKEN"],
    probe: { path: "/user" },
  },
  {
    name: "gitlab",
    secret: "personal access token, glpat-…",
    hosts: ["gitlab.com"],
    paths: ["/api"],
    header: "private-token",
    env: ["GITLAB_TOKEN"],
    probe: { path: "/api/v4/user" },
  },
  {
    name: "huggingface",
    secret: "access token, hf_…",
    hosts: ["huggingface.co"],
    env: ["HF_TOKEN"],
    probe: { path: "/api/whoami-v2" },
  },
  {
    name: "openai",
    secret: "API key, sk-…, from the platform's dashboard",
    hosts: ["api.openai.com"],
    env: ["OPENAI_API_KEY"],
    probe: { path: "/v1/models" },
  },
  {
    name: "opencode",
    secret: "access token of its subscription, which lasts for hours",
    hosts: ["api.anthropic.com"],
    env: [],
  },
  {
    name: "slack",
    secret: "bot token, xoxb-…",
    hosts: ["slack.com"],
    env: ["SLACK_BOT_TOKEN"],
  },
  {
    name: "stripe",
    secret: "restricted key, rk_…",
    hosts: ["api.stripe.com"],
    env: ["STRIPE_API_KEY"],
    probe: { path: "/v1/balance" },
  },
];

/** Programs that are better known than what they are for. */
const ALIASES: Readonly<Record<string, string>> = { gh: "github" };

/** The services that `firma credentials add` knows, sorted. */
export function serviceNames(): string[] {
  return [...SERVICES.map(({ name }) => name), ...Object.keys(ALIASES), "npm"].sort();
}

/** A service by its name; `undefined` where there is none of it. */
export function knownService(name: string): Result<KnownService | undefined> {
  if (name !== "npm") {
    return ok(SERVICES.find((service) => service.name === (ALIASES[name] ?? name)));
  }
  // Its host is where its mapping has it.
  const pack = readPack("mapping", "npm");
  if (!pack.ok) return pack;
  const host = /^host = \[?"([^"]+)"/m.exec(pack.value)?.[1];
  if (host === undefined) return ok(undefined);
  return ok({
    name,
    secret: "granular access token, npm_…",
    hosts: [host],
    env: ["NPM_TOKEN"],
    probe: { path: "/-/whoami" },
  });
}
