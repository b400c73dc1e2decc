import { actionClassEntry, type Risk } from "../core/action_class.ts";
import type { ContextValue, ExecutionEnvelope } from "../core/envelope.ts";
import { movesMoney, type TransferFigures } from "../core/transfers.ts";

/** The Cedar type of a context attribute. */
export type ContextType = "Boolean" | "Long" | "String" | "Set<String>";

/** One attribute of the context that policies read. */
export interface ContextAttribute {
  readonly name: string;
  readonly type: ContextType;
  /** One line for the author of a policy. */
  readonly meaning: string;
  /** Whether every request carries it; policies must guard the others with `has`. */
  readonly required: boolean;
  /**
   * Its value for a call. `undefined` for a required attribute means that nobody
   * measured it, which denies: a made-up value would let a `forbid` never fire.
   */
  readonly read: (envelope: ExecutionEnvelope) => ContextValue | undefined;
}

// Coarse on purpose: a policy compares against a threshold, and the order is what matters.
const RISK_SCORE: Readonly<Record<Risk, number>> = { low: 10, medium: 40, high: 70, critical: 90 };

function required(
  name: string,
  type: ContextType,
  meaning: string,
  read: ContextAttribute["read"],
): ContextAttribute {
  return { name, type, meaning, required: true, read };
}

function decoded(name: string, type: ContextType, meaning: string): ContextAttribute {
  return { name, type, meaning, required: false, read: (envelope) => attribute(envelope, name) };
}

function money(name: string, meaning: string): ContextAttribute {
  return required(name, "Long", meaning, (envelope) => {
    const measured = attribute(envelope, name);
    if (measured !== undefined) return measured;
    // An unknown amount of money is not zero.
    return movesMoney(envelope.intent.action_class) ? undefined : 0;
  });
}

/** What a session moves over time; of one that moves nothing, nothing. */
function moved(name: keyof TransferFigures, meaning: string): ContextAttribute {
  const unmeasured = money(name, meaning);
  return required(name, "Long", meaning, (envelope) => {
    const { transfers } = envelope.metadata;
    return transfers === undefined ? unmeasured.read(envelope) : transfers[name];
  });
}

function attribute(envelope: ExecutionEnvelope, name: string): ContextValue | undefined {
  const { attributes } = envelope.intent;
  return Object.hasOwn(attributes, name) ? attributes[name] : undefined;
}

/** What the method and the decoders say about the call, as JSON with sorted keys. */
function params({ intent }: ExecutionEnvelope): string {
  const entries = Object.entries({ ...intent.attributes, method: intent.resource.method });
  return JSON.stringify(Object.fromEntries(entries.sort(([a], [b]) => a < b ? -1 : 1)));
}

/** Every attribute of the context, in the order of the schema. */
export const CONTEXT_ATTRIBUTES: readonly ContextAttribute[] = [
  required("session_id", "String", "The session of the agent", (e) => e.metadata.session_id),
  required(
    "timestamp_ms",
    "Long",
    "When the call came, in milliseconds since 1970-01-01 UTC",
    (e) => e.metadata.timestamp_ms,
  ),
  required("params", "String", "Method and decoded attributes of the call, as JSON", params),
  required(
    "risk_score",
    "Long",
    "Risk of the action class: low 10, medium 40, high 70, critical 90",
    (e) => RISK_SCORE[actionClassEntry(e.intent.action_class)?.risk ?? "critical"],
  ),
  required(
    "session_duration_s",
    "Long",
    "Whole seconds since the session started",
    ({ metadata }) =>
      Math.max(0, Math.floor((metadata.timestamp_ms - metadata.session_started_ms) / 1000)),
  ),
  required(
    "action_count",
    "Long",
    "Calls of the session so far, this one included",
    (e) => e.metadata.action_count,
  ),
  required(
    "raw_transport",
    "String",
    "How the call came: http, https, connect, exec, mount (a file that a sandbox would " +
      "show) or watch (files that are gone)",
    (e) => {
      return e.intent.raw_transport;
    },
  ),
  required(
    "deny_count",
    "Long",
    "Calls of the session that were denied",
    (e) => e.metadata.deny_count,
  ),
  required(
    "prior_action_classes",
    "Set<String>",
    "Action classes of the last calls of the session",
    (e) => e.metadata.prior_action_classes,
  ),
  required(
    "last_resource",
    "String",
    "Resource of the previous call, or the empty string",
    (e) => e.metadata.last_resource,
  ),
  required(
    "deleted_files",
    "Long",
    "Files of the workspace that are gone and that no approval was about; 0 without a delete watch",
    (e) => e.metadata.deleted_files ?? 0,
  ),
  money("transfer_amount", "Amount that the call moves, in the smallest unit of its currency"),
  moved(
    "daily_cumulative_amount",
    "Amount moved since midnight UTC in the currency of the call, this call included",
  ),
  moved("transfers_last_10m", "Transfers of the last ten minutes, this call included"),
  moved(
    "same_payee_count_30m",
    "Transfers to the same payee in the last thirty minutes, this call included",
  ),
  moved("session_transfer_count", "Transfers of the session, this call included"),
  required(
    "credential",
    "String",
    "Whose credential the call would carry: broker (a configured one), agent (brought by the " +
      "agent itself) or none",
    (e) => e.credential?.carries ?? "none",
  ),
  required(
    "credential_brokered",
    "Boolean",
    "Whether a configured credential is for the host",
    (e) => e.credential?.brokered ?? false,
  ),
  decoded("git_provider", "String", "Code host, such as github"),
  decoded("git_owner", "String", "Owner of the repository, lower case"),
  decoded("git_repo", "String", "Name of the repository, lower case, without .git"),
  decoded("git_ref", "String", "The reference, such as refs/heads/main"),
  decoded("git_ref_type", "String", "branch, tag or ref"),
  decoded("git_operation", "String", "read, create, update or delete"),
  decoded(
    "git_forced",
    "Boolean",
    "Whether the call may lose commits: not proven to be a fast-forward, or a deletion",
  ),
  decoded("git_push_options", "Set<String>", "Options that a push hands to the server"),
  decoded("review_event", "String", "APPROVE, REQUEST_CHANGES, COMMENT or PENDING"),
  decoded("publishes", "Boolean", "Whether the call makes something public"),
  decoded("graphql_operation_type", "String", "query or mutation"),
  decoded("graphql_operation_name", "String", "Name that the client gave to the operation"),
  decoded("graphql_root_fields", "Set<String>", "What the operation asks for, without aliases"),
  decoded("mcp_method", "String", "JSON-RPC method, such as tools/call"),
  decoded("mcp_tool", "String", "Tool that is called"),
  decoded("mcp_target", "String", "Prompt or resource that is read"),
  decoded("grpc_service", "String", "gRPC service with its package"),
  decoded("grpc_method", "String", "gRPC method"),
  decoded("payment_currency", "String", "Currency in lower case, such as eur"),
  decoded("payment_destination", "String", "Account or bank account that the money goes to"),
  decoded("payment_account", "String", "Connected account on whose behalf the call is made"),
  decoded("payment_confirm", "Boolean", "Whether the call moves money at once"),
  decoded("payment_livemode", "Boolean", "Whether real money may move: no test key"),
  decoded("mail_recipient_count", "Long", "Recipients of a message"),
  decoded("mail_recipient_domains", "Set<String>", "Domains of the recipients, lower case"),
  decoded("filesystem_delete_count", "Long", "Files that a local command deletes"),
  decoded("exec_program", "String", "Name of a program that is to run, such as git"),
  decoded("exec_command", "String", "Its command line, words separated by a space"),
  decoded("exec_arguments", "Set<String>", "Its arguments, without its own name"),
  decoded("exec_secret", "String", "What it reads of a secret store, as the command names it"),
  decoded("exec_secret_store", "String", "The secret store of which it is the program"),
  decoded("exec_cwd", "String", "The directory that it runs in"),
];
