import { readPack } from "../../config/packs.ts";
import { ok, type Result } from "../../core/result.ts";

/** Which calls get a credential, and how it is written into them. */
export interface ServiceBinding {
  /** Stands behind the name of the service in the name of the credential. */
  readonly suffix: string;
  readonly hosts: readonly string[];
  /** @default {"authorization"} */
  readonly header?: string;
  readonly basicUser?: string;
}

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
  readonly bindings: readonly ServiceBinding[];
  /** For the first host of the first binding. */
  readonly probe?: ServiceProbe;
}

const SERVICES: readonly KnownService[] = [
  {
    name: "anthropic",
    secret: "API key, sk-ant-…, from the Claude Console",
    bindings: [{ suffix: "", hosts: ["api.anthropic.com"], header: "x-api-key" }],
    probe: { path: "/v1/models", headers: [["anthropic-version", "2023-06-01"]] },
  },
  {
    name: "gemini",
    secret: "API key from Google AI Studio",
    bindings: [{
      suffix: "",
      hosts: ["generativelanguage.googleapis.com"],
      header: "x-goog-api-key",
    }],
    probe: { path: "/v1beta/models" },
  },
  {
    name: "github",
    secret: "token, github_pat_… or ghp_…, from Settings, Developer settings",
    bindings: [
      { suffix: "", hosts: ["api.github.com", "uploads.github.com"] },
      { suffix: "-git", hosts: ["github.com"], basicUser: "x-access-token" },
    ],
    probe: { path: "/user" },
  },
  {
    name: "gitlab",
    secret: "personal access token, glpat-…",
    bindings: [{ suffix: "", hosts: ["gitlab.com"], header: "private-token" }],
    probe: { path: "/api/v4/user" },
  },
  {
    name: "huggingface",
    secret: "access token, hf_…",
    bindings: [{ suffix: "", hosts: ["huggingface.co"] }],
    probe: { path: "/api/whoami-v2" },
  },
  {
    name: "openai",
    secret: "API key, sk-…, from the platform's dashboard",
    bindings: [{ suffix: "", hosts: ["api.openai.com"] }],
    probe: { path: "/v1/models" },
  },
  {
    name: "slack",
    secret: "bot token, xoxb-…",
    bindings: [{ suffix: "", hosts: ["slack.com"] }],
  },
  {
    name: "stripe",
    secret: "restricted key, rk_…",
    bindings: [{ suffix: "", hosts: ["api.stripe.com"] }],
    probe: { path: "/v1/balance" },
  },
];

/** The services that `firma credentials add` knows, sorted. */
export function serviceNames(): string[] {
  return [...SERVICES.map(({ name }) => name), "npm"].sort();
}

/** A service by its name; `undefined` where there is none of it. */
export function knownService(name: string): Result<KnownService | undefined> {
  if (name !== "npm") return ok(SERVICES.find((service) => service.name === name));
  // Its host is where its mapping has it.
  const pack = readPack("mapping", "npm");
  if (!pack.ok) return pack;
  const host = /^host = \[?"([^"]+)"/m.exec(pack.value)?.[1];
  if (host === undefined) return ok(undefined);
  return ok({
    name,
    secret: "granular access token, npm_…",
    bindings: [{ suffix: "", hosts: [host] }],
    probe: { path: "/-/whoami" },
  });
}
