/**
 * What the main thread and the data-plane worker say to each other. Everything
 * here survives structured cloning.
 */
import type { CliSecretProvider } from "../../secrets/cli/provider.ts";
import type { ApprovalAnswer } from "../../approvals/answer.ts";
import type { ActionClassEntry } from "../../core/action_class.ts";
import type { CapabilityClaims } from "../../core/capability.ts";
import type { PolicyBundle } from "../../core/policy_bundle.ts";
import type { FirmaError } from "../../core/result.ts";
import type { HostAndPort } from "../../net/http/uri_authority.ts";
import type { Leaf } from "../../pki/session_ca.ts";
import type { ParsedPolicies } from "../../policy/checked.ts";
import type { CredentialTarget } from "../credentials/request_judge.ts";
import type { ExecConfig } from "../exec/decide.ts";
import type { Advice } from "../gate.ts";
import type { LossQuestion, LossVerdict } from "../losses/question.ts";
import type { ApprovalRequest } from "./approval_client.ts";
import type { PipelineConfig } from "../pipeline/pipeline.ts";
import type { ProxySecret } from "../transport/proxy_credentials.ts";
import type { SessionSeed } from "../pipeline/session_table.ts";

/** A mapping file with its text. */
export interface MappingSource {
  readonly file: string;
  readonly text: string;
}

/** A call that a program is about to make by itself. */
export interface Question {
  readonly sessionId: string;
  readonly method: string;
  readonly scheme: "http" | "https";
  /** Host, with the port unless it is the default of the scheme. */
  readonly authority: string;
  /** Path and query. */
  readonly target: string;
  /** Names in lower case. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array;
}

/** Time-outs of upstream connections, in milliseconds. */
export interface Timeouts {
  readonly connectMs: number;
  readonly headersMs: number;
  readonly idleMs: number;
}

/** What stays as it is while a worker lives. */
export interface WorkerConfig extends PipelineConfig {
  /** What the operator adds to the registry. */
  readonly actionClasses: readonly ActionClassEntry[];
  readonly defaultProtected: boolean;
  /** Sessions may be observed alone, so that any host may be called. @default {false} */
  readonly mayObserve?: boolean;
  /** Where the proxy of sessions without a sandbox listens, while there are any. */
  readonly httpProxy?: HostAndPort | undefined;
  readonly timeouts: Timeouts;
  /** A larger answer of a secret store passes on nothing. */
  readonly maxSecretAnswerBytes: number;
  /** How programs that agents start are decided. @default {DEFAULT_EXEC_CONFIG} */
  readonly localExec?: ExecConfig;
  /** Programs of secret stores, whose commands run outside of sandboxes. @default {[]} */
  readonly secretPrograms?: readonly CliSecretProvider[];
  /** How many events may be on their way to the audit log. */
  readonly auditCapacity: number;
  /** Nothing leaves before its record is on the disk. @default {false} */
  readonly auditIsDurable?: boolean;
}

/** The first message, on the worker's own channel: the ways for everything else. */
export interface Ports {
  /** {@linkcode ToWorker} one way, {@linkcode FromWorker} the other. */
  readonly control: MessagePort;
  /** Memory of an `EventRing`, to the main thread: events outlive the worker. */
  readonly events: SharedArrayBuffer;
}

/** How the agent of a session gets in. */
export type Entrance =
  /** Over a socket of the session's own, which a sandbox mounts. */
  | { readonly kind: "socket"; readonly path: string }
  /** By the proxy that such sessions share. */
  | { readonly kind: "proxy"; readonly secret: ProxySecret };

/** From the main thread, on the control port. */
export type ToWorker =
  | {
    readonly kind: "start";
    readonly config: WorkerConfig;
    readonly mapping: readonly MappingSource[];
    /** Where its WebAssembly module will be; see `cedar_memory.ts`. */
    readonly cedar: SharedArrayBuffer;
    /** Laid out as `AuditGauge` says. */
    readonly gauge: SharedArrayBuffer;
  }
  | {
    readonly kind: "bundle";
    readonly bundle: PolicyBundle;
    /** What the main thread knows of it, which has checked it; see `markChecked()`. */
    readonly parsed: ParsedPolicies | undefined;
    readonly freshUntilMs: number;
  }
  | { readonly kind: "bundle-fresh"; readonly revision: number; readonly freshUntilMs: number }
  | { readonly kind: "bundle-gone" }
  /** `undefined`: which tokens are revoked is not known. */
  | { readonly kind: "revoked"; readonly tokenIds: readonly string[] | undefined }
  | { readonly kind: "mapping"; readonly mapping: readonly MappingSource[] }
  | {
    readonly kind: "session-open";
    readonly seed: SessionSeed;
    readonly entrance: Entrance;
    /** It was open in a data plane before this one, which may have learnt what it must not see. */
    readonly resumes: boolean;
  }
  | {
    readonly kind: "session-claims";
    readonly sessionId: string;
    readonly claims: readonly CapabilityClaims[];
  }
  | { readonly kind: "session-close"; readonly sessionId: string }
  | { readonly kind: "advise"; readonly number: number; readonly question: Question }
  | { readonly kind: "weigh"; readonly number: number; readonly question: LossQuestion }
  | {
    readonly kind: "approval-answer";
    readonly number: number;
    readonly answer: ApprovalAnswer;
  }
  | { readonly kind: "leaf"; readonly request: number; readonly leaf: Leaf | undefined }
  /** Other credentials are in force; `former` are those that there are none of any more. */
  | {
    readonly kind: "credentials";
    readonly number: number;
    readonly targets: readonly CredentialTarget[];
    readonly former: readonly CredentialTarget[];
  }
  /**
   * The way to the credential broker: `AskBroker` one way, `BrokerAnswer` the other. `undefined`: what
   * kept it has ended, and with it what sessions must not see.
   */
  | { readonly kind: "broker"; readonly port: MessagePort | undefined }
  | { readonly kind: "ping"; readonly number: number };

/** From the worker, on the control port. */
export type FromWorker =
  | { readonly kind: "started" }
  | { readonly kind: "start-failed"; readonly errors: readonly FirmaError[] }
  | {
    readonly kind: "bundle-result";
    readonly revision: number;
    readonly errors: readonly FirmaError[];
  }
  | { readonly kind: "mapping-result"; readonly errors: readonly FirmaError[] }
  | {
    readonly kind: "session-opened";
    readonly sessionId: string;
    readonly error: FirmaError | undefined;
    /** Where the proxy listens, for a session that comes by it. */
    readonly proxy?: HostAndPort | undefined;
  }
  | { readonly kind: "session-closed"; readonly sessionId: string }
  /** From now on nobody is given what is not in force any more. */
  | { readonly kind: "credentials-taken"; readonly number: number }
  | { readonly kind: "advised"; readonly number: number; readonly advice: Advice }
  | { readonly kind: "weighed"; readonly number: number; readonly verdict: LossVerdict }
  /** Cedar is needed, and this thread sleeps until it is there. */
  | { readonly kind: "cedar-wanted" }
  | { readonly kind: "leaf-request"; readonly request: number; readonly host: string }
  | ApprovalRequest
  /** There is something in the ring of events. */
  | { readonly kind: "events" }
  | { readonly kind: "pong"; readonly number: number };
