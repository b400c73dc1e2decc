import type { DecisionEvent, ExecutionEvent } from "../../src/core/event.ts";
import type { ExecutionEnvelope } from "../../src/core/envelope.ts";
import type { PolicyTexts } from "../../src/monitor/explain/policy_texts.ts";
import type { Standing } from "../../src/monitor/standing/standing.ts";

/** The moment at which pictures of the monitor are taken. */
export const NOW = Date.parse("2025-01-31T12:04:31.000Z");

export const BUNDLE = "3f9c2a71d04be865";
export const HOME = "/home/ada";

const AGENTS = {
  claude: "agt_01jx2w7s3kf8ar5wq0z74x9q2k",
  codex: "agt_01jx2w9b1tg4hm2vd8se77m3vb",
} as const;
const SESSIONS = {
  claude: "ses_01jx2w7s3kf8ar5wq0z7000001",
  codex: "ses_01jx2w7s3kf8ar5wq0z7000002",
} as const;
const SANDBOXES = {
  claude: "sbx_01jx2w7s3kf8ar5wq0z7000001",
  codex: "sbx_01jx2w7s3kf8ar5wq0z7000002",
} as const;

type Who = keyof typeof AGENTS;

/** A call of the story: seconds before {@linkcode NOW}, who, what, and how it was decided. */
type Beat = readonly [
  before: number,
  who: Who,
  method: string,
  resource: string,
  actionClass: string,
  changes?: Partial<DecisionEvent> & { readonly status?: number; readonly aborted?: string },
];

const READ = { policy_ids: ["dev.permit-reading-code"] };
const INSTALL = { policy_ids: ["dev.permit-packages"] };
const MODEL = { policy_ids: ["dev.permit-communication"] };

const FORCED = {
  decision: "DENY",
  deny_reason: "PolicyDenied",
  detail: "forbidden by policy",
  policy_ids: ["dev.forbid-forced-push"],
} as const;

/** What the last minutes looked like, oldest first. */
const STORY: readonly Beat[] = [
  [58, "claude", "POST", "api.anthropic.com/v1/messages", "model.inference", MODEL],
  [55, "claude", "GET", "api.github.com/repos/ada/shop/pulls?state=open", "code.review.read", READ],
  [53, "claude", "GET", "api.github.com/repos/ada/shop/issues/214", "issue.read", READ],
  [49, "codex", "POST", "api.openai.com/v1/responses", "model.inference", MODEL],
  [47, "codex", "GET", "index.crates.io/to/ki/tokio", "system.install", INSTALL],
  [46, "codex", "GET", "static.crates.io/crates/tokio/1.43.0/download", "system.install", INSTALL],
  [46, "codex", "GET", "index.crates.io/se/rd/serde", "system.install", INSTALL],
  [45, "codex", "GET", "static.crates.io/crates/serde/1.0.217/download", "system.install", INSTALL],
  [41, "claude", "POST", "api.anthropic.com/v1/messages", "model.inference", MODEL],
  [
    38,
    "claude",
    "GET",
    "files.pythonhosted.org/packages/9b/ruff-0.9.4.whl",
    "system.install",
    INSTALL,
  ],
  [35, "codex", "GET", "docs.rs/tokio/latest/tokio/", "raw.http.GET", {
    decision: "DENY",
    deny_reason: "UnclassifiedIntent",
    detail: "no mapping rule names this call",
    policy_ids: [],
  }],
  [31, "claude", "POST", "github.com/ada/shop.git/git-receive-pack", "code.write", {
    policy_ids: ["dev.permit-changing-code"],
  }],
  [27, "claude", "POST", "api.anthropic.com/v1/messages", "model.inference", MODEL],
  [24, "codex", "GET", "sh.rustup.rs/", "raw.http.GET", {
    decision: "DENY",
    deny_reason: "UnclassifiedIntent",
    detail: "no mapping rule names this call",
    policy_ids: [],
  }],
  [21, "claude", "POST", "api.github.com/repos/ada/shop/pulls", "code.review.submit", {
    policy_ids: ["dev.permit-changing-code"],
  }],
  [17, "codex", "GET", "static.crates.io/crates/ring/0.17.8/download", "system.install", {
    ...INSTALL,
    aborted: "CONNECTOR_TIMEOUT",
  }],
  [13, "claude", "POST", "api.anthropic.com/v1/messages", "model.inference", MODEL],
  [11, "claude", "POST", "api.stripe.com/v1/payouts", "payment.payout", {
    decision: "DENY",
    deny_reason: "PolicyDenied",
    detail: "no policy permits it",
    policy_ids: [],
  }],
  [9, "codex", "GET", "api.github.com/repos/ada/engine/contents/Cargo.lock", "code.read", READ],
  [6, "claude", "POST", "github.com/ada/shop.git/git-receive-pack", "code.destructive", FORCED],
  [3, "claude", "POST", "api.anthropic.com/v1/messages", "model.inference", MODEL],
  [1, "codex", "POST", "api.openai.com/v1/responses", "model.inference", MODEL],
];

const time = (atMs: number): string => new Date(atMs).toISOString().replace("Z", "000Z");

function envelopeOf(event: DecisionEvent): ExecutionEnvelope | undefined {
  if (event.action_class.startsWith("raw.")) return undefined;
  const id = event.resource.split("?")[0]!;
  const slash = id.indexOf("/");
  const isPush = id.endsWith("git-receive-pack");
  return {
    intent: {
      action_class: event.action_class as ExecutionEnvelope["intent"]["action_class"],
      resource: { id, host: id.slice(0, slash), path: id.slice(slash), method: event.method },
      raw_transport: "https",
      raw_action_ref: isPush
        ? "github.toml:412"
        : `${id.split(".").at(id.startsWith("api.") ? 1 : 0)}.toml:88`,
      attributes: isPush
        ? {
          git_provider: "github",
          git_owner: "ada",
          git_repo: "shop",
          git_ref: event.decision === "DENY" ? "refs/heads/main" : "refs/heads/checkout-fix",
          git_operation: "update",
          git_forced: event.decision === "DENY",
        }
        : {},
    },
    capability: { token_id: event.token_id, agent_id: event.agent_id },
    metadata: {
      session_id: event.session_id,
      timestamp_ms: Date.parse(event.timestamp),
      session_started_ms: NOW - 840_000,
      action_count: 12,
      deny_count: 1,
      prior_action_classes: ["code.read"],
      last_resource: "api.anthropic.com/v1/messages",
    },
    provenance: {
      via: "proxy",
      pid: 31,
      executable: isPush ? "/usr/lib/git-core/git-remote-http" : "/usr/bin/node",
    },
  };
}

/** Events of everything that the pictures show, oldest first, with their numbers of lines. */
export function storyEvents(): (ExecutionEvent & { readonly seq: number })[] {
  const events: ExecutionEvent[] = [];
  const base = (who: Who, atMs: number, id: string) => ({
    event_id: `aevt_01jx2wd${id.padStart(19, "0")}`,
    timestamp: time(atMs),
    sandbox_id: SANDBOXES[who],
    session_id: SESSIONS[who],
    agent_id: AGENTS[who],
  });
  events.push({
    ...base("claude", NOW - 3_600_000, "p1"),
    agent_id: "",
    session_id: "",
    sandbox_id: "",
    kind: "policy",
    change: "applied",
    bundle_version: BUNDLE,
    detail: "",
  });
  for (const [who, before] of [["claude", 840_000], ["codex", 190_000]] as const) {
    events.push({
      ...base(who, NOW - before, `s${who}`),
      kind: "session",
      phase: "started",
      profile: who,
      command: who === "claude" ? "claude" : "codex (2 arguments)",
      workspace: who === "claude" ? `${HOME}/src/shop` : `${HOME}/src/engine`,
    });
  }
  // A little history, so that counters and their bars have something to show.
  const history: readonly (readonly [string, string, Who, number])[] = [
    ["model.inference", "api.anthropic.com/v1/messages", "claude", 96],
    ["code.read", "api.github.com/repos/ada/shop/contents/src", "claude", 71],
    ["system.install", "index.crates.io/hy/pe/hyper", "codex", 44],
    ["issue.read", "api.github.com/repos/ada/shop/issues", "claude", 23],
    ["code.review.read", "api.github.com/repos/ada/engine/pulls", "codex", 12],
    ["telemetry.send", "statsig.anthropic.com/v1/rgstr", "claude", 9],
  ];
  const beats: Beat[] = history.flatMap(([actionClass, resource, who, count], kind) =>
    Array.from({ length: count }, (_, i): Beat => [
      62 + (i * 7 + kind * 13) % 540,
      who,
      actionClass === "telemetry.send" || actionClass === "model.inference" ? "POST" : "GET",
      resource,
      actionClass,
      MODEL,
    ])
  );
  beats.sort((a, b) => b[0] - a[0]);
  for (const [index, beat] of [...beats, ...STORY].entries()) {
    const [before, who, method, resource, action_class, changes = {}] = beat;
    const { aborted = "", status = 200, ...decided } = changes;
    const decision: DecisionEvent = {
      ...base(who, NOW - before * 1_000 + index, `d${index}`),
      kind: "decision",
      decision: "ALLOW",
      deny_reason: "",
      detail: "",
      action_class,
      resource,
      method,
      token_id: "ctok_01jx2w7s3kf8ar5wq0z7000009",
      bundle_version: BUNDLE,
      policy_ids: [],
      latency_us: 61,
      ...decided,
    };
    const envelope = envelopeOf(decision);
    events.push({ ...decision, ...(envelope && { envelope }) });
    if (decision.decision !== "ALLOW") continue;
    events.push({
      ...base(who, NOW - before * 1_000 + index, `o${index}`),
      kind: "outcome",
      decision_event_id: decision.event_id,
      status: aborted === "" ? status : 0,
      abort_reason: aborted as "CONNECTOR_TIMEOUT" | "",
      detail: aborted === "" ? "" : "no response headers within 120 s",
      request_bytes: 512,
      response_bytes: aborted === "" ? 18_211 : 0,
      head_latency_us: 118_000,
      latency_us: 240_000,
    });
  }
  events.sort((a, b) => a.timestamp < b.timestamp ? -1 : a.timestamp > b.timestamp ? 1 : 0);
  return events.map((event, index) => ({ ...event, seq: 4_100 + index }));
}

/** What runs meanwhile. */
export const STANDING: Standing = {
  components: [
    { component: "sidecar", state: "running", pid: 811, sinceMs: NOW - 8_040_000, restarts: 0 },
    { component: "authority", state: "running", pid: 809, sinceMs: NOW - 8_041_000, restarts: 0 },
  ],
  ownSidecars: 0,
  sessions: [
    {
      sessionId: SESSIONS.claude,
      sandboxId: SANDBOXES.claude,
      agentId: AGENTS.claude,
      profile: "claude",
      command: "claude",
      workspace: `${HOME}/src/shop`,
      startedMs: NOW - 840_000,
      actions: 212,
      denies: 2,
    },
    {
      sessionId: SESSIONS.codex,
      sandboxId: SANDBOXES.codex,
      agentId: AGENTS.codex,
      profile: "codex",
      command: "codex (2 arguments)",
      workspace: `${HOME}/src/engine`,
      startedMs: NOW - 190_000,
      actions: 65,
      denies: 2,
    },
  ],
  bundleVersion: BUNDLE,
  audit: "ok",
  isFresh: true,
  problem: "",
};

/** The policies of the story. */
export const TEXTS: PolicyTexts = {
  version: BUNDLE,
  directory: `${HOME}/src/shop/.firma/policies`,
  files: [{
    file: "dev.cedar",
    text: `${"\n".repeat(104)}@id("dev.forbid-forced-push")
forbid (principal, action in [Firma::Action::"code.destructive"], resource)
when {
  context has git_forced && context.git_forced &&
  context has git_ref && context.git_ref == "refs/heads/main"
};
`,
  }],
};
