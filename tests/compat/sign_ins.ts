/** Sign-ins that agents have on the disk and renew, and their vendors' part in that. */
import { Buffer } from "node:buffer";
import { ANTHROPIC } from "./vendors/anthropic.ts";
import { GOOGLE } from "./vendors/google.ts";
import { OPENAI } from "./vendors/openai.ts";

/** Tokens of a person. */
export interface SignInTokens {
  readonly access: string;
  readonly refresh: string;
}

/** The sign-in of an agent. */
export interface SignInCase {
  /** The agent, by its name in the table. */
  readonly agent: string;
  /** What `firma credentials add` calls it. */
  readonly name: string;
  readonly mappings: readonly [string, ...string[]];
  /** Where the agent keeps it, below the home, and how. */
  readonly path: string;
  readonly text: (tokens: SignInTokens) => string;
  /** Other files of its home. */
  readonly home?: Readonly<Record<string, string>>;
  readonly words: (prompt: string) => readonly string[];
  /** Where it takes its tokens. */
  readonly api: string;
  /** Where it renews them. */
  readonly endpoint: { readonly host: string; readonly path: string };
  /** Of the person; each is one that this vendor could have given. */
  readonly tokens: { readonly stale: SignInTokens; readonly fresh: SignInTokens };
  /** What the endpoint says besides the tokens. */
  readonly beside?: Readonly<Record<string, unknown>>;
  /** What its interface says to who shows the fresh token. */
  readonly answer: (request: Request) => Promise<Response | undefined>;
}

const SCOPE = "https://www.googleapis.com/auth/cloud-platform";
const DAY_MS = 86_400_000;

/** A token that says of the person what Codex wants to know, signed by nobody. */
function jwt(id: string): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const account = { chatgpt_account_id: "acc-1", chatgpt_plan_type: "plus", user_id: "user-1" };
  const claims = {
    "https://api.openai.com/auth": account,
    email: "ada@example.test",
    exp: Math.floor((Date.now() + DAY_MS) / 1000),
    jti: id,
  };
  return `${part({ alg: "RS256", typ: "JWT" })}.${part(claims)}.${part({ signed: id })}`;
}

const CHATGPT = {
  api: "chatgpt.com",
  endpoint: { host: "auth.openai.com", path: "/oauth/token" },
  tokens: {
    stale: { access: jwt("has ended"), refresh: "rt_of-the-person-0123456789abcdef" },
    fresh: { access: jwt("was renewed"), refresh: "rt_of-the-person-too-0123456789" },
  },
  beside: { id_token: jwt("who it is") },
  answer: (request: Request) => {
    if (new URL(request.url).pathname === "/backend-api/wham/accounts/check") {
      const account = {
        id: "acc-1",
        structure: "personal",
        plan_type: "plus",
        workspace_backend_origin: "https://chatgpt.com",
        account_routing_override: "NO_CONSTRAINT",
      };
      return Promise.resolve(Response.json({ accounts: [account], account_ordering: ["acc-1"] }));
    }
    return OPENAI.answer(request);
  },
} as const;

/** In the order of the table. */
export const SIGN_INS: readonly SignInCase[] = [
  {
    agent: "claude-code",
    name: "claude",
    mappings: ["anthropic"],
    path: ".claude/.credentials.json",
    text: ({ access, refresh }) =>
      JSON.stringify({
        claudeAiOauth: {
          accessToken: access,
          refreshToken: refresh,
          expiresAt: Date.now() + DAY_MS,
          scopes: ["user:inference", "user:profile"],
          subscriptionType: "max",
        },
      }),
    words: (prompt) => ["-p", prompt],
    api: ANTHROPIC.host,
    endpoint: { host: "platform.claude.com", path: "/v1/oauth/token" },
    tokens: {
      stale: { access: "sk-ant-oat01-that-has-ended", refresh: "sk-ant-ort01-of-the-person" },
      fresh: { access: "sk-ant-oat01-that-was-renewed", refresh: "sk-ant-ort01-of-the-person-too" },
    },
    beside: {
      scope: "user:inference user:profile",
      account: { uuid: crypto.randomUUID(), email_address: "ada@example.test" },
    },
    answer: ANTHROPIC.answer,
  },
  {
    agent: "codex",
    name: "codex",
    mappings: ["openai"],
    path: ".codex/auth.json",
    text: ({ access, refresh }) =>
      JSON.stringify({
        auth_mode: "chatgpt",
        OPENAI_API_KEY: null,
        tokens: {
          id_token: jwt("who it is"),
          access_token: access,
          refresh_token: refresh,
          account_id: "acc-1",
        },
        last_refresh: new Date().toISOString(),
      }),
    home: { ".codex/config.toml": `model = "gpt-5"\n` },
    words: (prompt) => [
      "exec",
      "--skip-git-repo-check",
      "--dangerously-bypass-approvals-and-sandbox",
      prompt,
    ],
    ...CHATGPT,
  },
  {
    agent: "gemini-cli",
    name: "gemini",
    mappings: ["gemini"],
    path: ".gemini/oauth_creds.json",
    text: ({ access, refresh }) =>
      JSON.stringify({
        access_token: access,
        refresh_token: refresh,
        scope: SCOPE,
        token_type: "Bearer",
        id_token: jwt("who it is"),
        expiry_date: Date.now() - DAY_MS,
      }),
    home: { ".gemini/settings.json": `{"security":{"auth":{"selectedType":"oauth-personal"}}}\n` },
    // Which model it is to be, it would ask another.
    words: (prompt) => [
      ...["--skip-trust", "--yolo", "--model", "gemini-2.5-pro"],
      ...["--prompt", prompt],
    ],
    api: "cloudcode-pa.googleapis.com",
    endpoint: { host: "oauth2.googleapis.com", path: "/token" },
    tokens: {
      stale: {
        access: "ya29.that-has-ended-0123456789",
        refresh: "1//0g-of-the-person-0123456789",
      },
      fresh: {
        access: "ya29.that-was-renewed-01234567",
        refresh: "1//0g-of-the-person-0123456789",
      },
    },
    beside: { id_token: jwt("who it is"), scope: SCOPE },
    answer: codeAssist,
  },
  {
    agent: "opencode",
    name: "opencode",
    mappings: ["openai"],
    path: ".local/share/opencode/auth.json",
    text: ({ access, refresh }) =>
      JSON.stringify({
        openai: {
          type: "oauth",
          access,
          refresh,
          expires: Date.now() - DAY_MS,
          accountId: "acc-1",
        },
      }),
    home: { ".config/opencode/opencode.json": `{"autoupdate": false}\n` },
    words: (prompt) => ["run", "--model", "openai/gpt-5.5", prompt],
    ...CHATGPT,
  },
];

/** The Gemini API as a Google account gets it, with every request and answer in a member of its own. */
async function codeAssist(request: Request): Promise<Response | undefined> {
  const url = new URL(request.url);
  const verb = /:(\w+)$/.exec(url.pathname)?.[1];
  if (verb === "loadCodeAssist") {
    const tier = { id: "standard-tier", name: "Standard", isDefault: true };
    return Response.json({
      currentTier: tier,
      allowedTiers: [tier],
      cloudaicompanionProject: "p-1",
    });
  }
  if (url.pathname === "/tokeninfo") return Response.json({ expires_in: 28_800, scope: SCOPE });
  if (verb === undefined || !/generateContent$/i.test(verb)) return Response.json({});
  const { request: inner } = await request.json();
  const plain = new Request(`https://${GOOGLE.host}/v1beta/models/stand-in:generateContent`, {
    method: "POST",
    body: JSON.stringify(inner ?? {}),
  });
  const answer = inner && await GOOGLE.answer(plain);
  if (!answer) return undefined;
  const wrapped = { response: await answer.json() };
  return verb === "generateContent"
    ? Response.json(wrapped)
    : new Response(`data: ${JSON.stringify(wrapped)}\n\n`, {
      headers: { "content-type": "text/event-stream" },
    });
}
