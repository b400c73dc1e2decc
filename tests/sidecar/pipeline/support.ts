import type { ApprovalDesk } from "../../../src/approvals/answer.ts";
import type { CapabilityClaims } from "../../../src/core/capability.ts";
import type { ExecutionEvent } from "../../../src/core/event.ts";
import { INITIAL_SESSION_STATE } from "../../../src/core/session_state.ts";
import type { Decoder } from "../../../src/mapping/decoders/decoder.ts";
import { MappingTable } from "../../../src/mapping/table.ts";
import type { PlaceholderDesk } from "../../../src/sidecar/credentials/request_desk.ts";
import type { CallInput, Peer, Verdict } from "../../../src/sidecar/gate.ts";
import type { ApprovalConfig } from "../../../src/sidecar/pipeline/settle.ts";
import type { Draft, SessionView } from "../../../src/sidecar/pipeline/draft.ts";
import { createPipeline, type Pipeline } from "../../../src/sidecar/pipeline/pipeline.ts";
import type { EventSink } from "../../../src/sidecar/pipeline/record.ts";
import { SessionTable } from "../../../src/sidecar/pipeline/session_table.ts";
import { Standing } from "../../../src/sidecar/pipeline/standing.ts";
import { bundle } from "../../policy/support.ts";

export const NOW_MS = Date.parse("2026-03-01T12:00:00Z");
export const SESSION_ID = "ses_01jd8xk5w7e0v9c3b2n4m6q8rs";
export const AGENT_ID = "agt_01jd8xk5w7e0v9c3b2n4m6q8rs";
export const SANDBOX_ID = "sbx_01jd8xk5w7e0v9c3b2n4m6q8rs";
export const TOKEN_ID = "ctok_01jd8xk5w7e0v9c3b2n4m6q8rs";

export const PEER: Peer = {
  sessionId: SESSION_ID,
  provenance: { pid: 42, executable: "/usr/bin/curl", via: "proxy" },
};

export const RULES = `
[[rules]]
host = "api.code.test"
method = "GET"
path = "/repos/**"
action_class = "code.read"

[[rules]]
host = "api.code.test"
method = "DELETE"
path = "/repos/**"
action_class = "code.destructive"

[[rules]]
host = "registry.test"
action_class = "system.install"

[[rules]]
host = "pinned.test"
method = "CONNECT"
action_class = "communication.external.send"
`;

export const POLICY = `
@id("reading") permit (principal, action in [Firma::Action::"code.read", Firma::Action::"system.install"], resource);
@id("history") forbid (principal, action in [Firma::Action::"code.destructive"], resource);
`;

/** A call as the transport hands it over. */
export function call(changes: Partial<CallInput> = {}): CallInput {
  return {
    peer: PEER,
    scheme: "https",
    httpVersion: "1.1",
    method: "GET",
    authority: "api.code.test",
    target: "/repos/acme/rocket",
    headers: [],
    tunnel: { connectHost: "api.code.test", connectPort: 443, sni: "api.code.test" },
    readBody: () => Promise.resolve(new Uint8Array()),
    ...changes,
  };
}

/** A call to another host, whose connection agrees with it. */
export function callTo(host: string, changes: Partial<CallInput> = {}): CallInput {
  return call({
    authority: host,
    tunnel: { connectHost: host, connectPort: 443 },
    target: "/",
    ...changes,
  });
}

export function claims(changes: Partial<CapabilityClaims> = {}): CapabilityClaims {
  return {
    token_id: TOKEN_ID,
    agent_id: AGENT_ID,
    session_id: SESSION_ID,
    action_set: ["*"],
    resource_scope: ["**"],
    issued_at: new Date(NOW_MS - 60_000).toISOString(),
    expiry: new Date(NOW_MS + 3_600_000).toISOString(),
    context_hash: "",
    policy_bundle_version: "",
    ...changes,
  };
}

export function session(changes: Partial<SessionView> = {}): SessionView {
  return {
    sessionId: SESSION_ID,
    sandboxId: SANDBOX_ID,
    agentId: AGENT_ID,
    startedMs: NOW_MS - 60_000,
    claims: [claims()],
    state: INITIAL_SESSION_STATE,
    ended: false,
    ...changes,
  };
}

export function draft(changes: Partial<Draft> = {}): Draft {
  return { input: call(), session: session(), nowMs: NOW_MS, transport: "https", ...changes };
}

export function mapping(text = RULES, decoders?: Iterable<string>): MappingTable {
  const table = MappingTable.parse([{ file: "rules.toml", text }], decoders && { decoders });
  if (!table.ok) throw new Error(JSON.stringify(table.error));
  return table.value;
}

/** A sink that keeps what it is given. */
export class Events implements EventSink {
  readonly all: ExecutionEvent[] = [];
  readonly urgent: string[] = [];
  accepting = true;
  lost = 0;
  /** Whether records are on the disk, where that is waited for. */
  disk: PromiseWithResolvers<boolean> | undefined;
  accepts(): boolean {
    return this.accepting;
  }
  relief(): undefined {}
  push(event: ExecutionEvent, urgency: "now" | "soon"): void {
    this.all.push(event);
    if (urgency === "now") this.urgent.push(event.event_id);
  }
  recorded(): Promise<boolean> | undefined {
    return this.disk?.promise;
  }
  lose(): void {
    this.lost++;
  }
  /** The last event, as a bag of members. */
  get last(): Readonly<Record<string, unknown>> {
    return { ...this.all.at(-1)! };
  }
}

export interface Rig extends Pipeline {
  readonly events: Events;
  readonly standing: Standing;
  readonly sessions: SessionTable;
  decide(input: CallInput): Verdict;
}

export interface RigOptions {
  readonly rules?: string;
  readonly policy?: string;
  readonly defaultProtected?: boolean;
  readonly bypassHosts?: readonly string[];
  readonly connectAddrFor?: readonly string[];
  readonly decoders?: ReadonlyMap<string, Decoder>;
  readonly clockSkewMs?: number;
  /** What is known of credentials and placeholders. */
  readonly desk?: PlaceholderDesk;
  /** Where approvals are kept; nobody can be asked without it. */
  readonly approvals?: ApprovalDesk;
  /** @default {async_token} */
  readonly waiting?: Partial<ApprovalConfig>;
  /** @default {NOW_MS} */
  readonly now?: () => number;
}

const compiled = new Map<string, Standing["bundle"]>();

/** Compiling takes much longer than a decision, and an engine has no state that shows. */
function inForce(policies: string): Standing["bundle"] {
  if (!compiled.has(policies)) {
    const standing = new Standing(mapping(), true);
    const applied = standing.apply(bundle(policies), NOW_MS + 30_000);
    if (!applied.ok) throw new Error(JSON.stringify(applied.error));
    compiled.set(policies, standing.bundle);
  }
  return compiled.get(policies);
}

/** A whole pipeline with one session, everything in force. */
export function rig(options: RigOptions = {}): Rig {
  const table = mapping(options.rules, options.decoders?.keys());
  const standing = new Standing(table, options.defaultProtected ?? true);
  standing.bundle = inForce(options.policy ?? POLICY);
  standing.revoked = new Set();
  const sessions = new SessionTable();
  sessions.open(session());
  const events = new Events();
  const pipeline = createPipeline({
    config: {
      connectors: (options.connectAddrFor ?? []).map((host) => ({
        host,
        connectAddr: { hostname: "127.0.0.1", port: 8443 },
        caCerts: ["PEM"],
      })),
      bypassHosts: options.bypassHosts ?? [],
      maxBodyBytes: 1024,
      clockSkewMs: options.clockSkewMs ?? 0,
      approvals: {
        mode: "async_token",
        maxWaitMs: 60_000,
        retryAfterMs: 500,
        redactNames: [],
        ...options.waiting,
      },
    },
    ...(options.approvals && { approvals: options.approvals }),
    standing,
    sessions,
    sink: events,
    ...(options.decoders && { decoders: options.decoders }),
    ...(options.desk && { desk: options.desk }),
    now: options.now ?? (() => NOW_MS),
  });
  return {
    ...pipeline,
    events,
    standing,
    sessions,
    decide(input) {
      const verdict = pipeline.gate.decide(input);
      if (verdict instanceof Promise) throw new Error("the decision had to wait");
      return verdict;
    },
  };
}

/** `"forward"`, or the deny reason. */
export function outcome(verdict: Verdict): string {
  return verdict.kind === "deny" ? verdict.problem.reason : verdict.kind;
}
