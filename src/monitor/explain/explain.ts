import type { DecisionEvent, OutcomeEvent } from "../../core/event.ts";
import { type Fact, factsThatMattered } from "./mattered.ts";
import { findPolicies, type PolicyPlace, type PolicyTexts } from "./policy_texts.ts";
import { shellWord } from "./quoting.ts";
import { type Remedy, remedyFor } from "./remedy.ts";
import { whyDecided } from "./why.ts";

/** Everything that an operator may want to know of one decision. */
export interface ExplainedDecision {
  readonly event: DecisionEvent;
  readonly outcome: OutcomeEvent | undefined;
  /** In a sentence. */
  readonly why: string;
  /** The policies that determined it, where their texts are at hand. */
  readonly policies: readonly PolicyPlace[];
  /** Where the texts are from. */
  readonly texts: PolicyTexts | undefined;
  /** Of those, the ids that no text was found for. */
  readonly unknownPolicies: readonly string[];
  /** Why there is no text, or why it may not be the one that decided; `""` where it is. */
  readonly policyNote: string;
  /** What of the call mattered for it. */
  readonly facts: readonly Fact[];
  /** What was decided about, and by whom. */
  readonly particulars: readonly Fact[];
  readonly remedy: Remedy | undefined;
  /** A command that decides such a call anew; `""` where none can. */
  readonly command: string;
}

/**
 * Explains a decision from its event and, where they are known, the texts of
 * the policies. What an agent chose stays as it is: whoever shows it escapes it.
 */
export function explainDecision(
  event: DecisionEvent,
  outcome: OutcomeEvent | undefined,
  texts: PolicyTexts | undefined,
): ExplainedDecision {
  const policies = texts === undefined ? [] : findPolicies(texts, event.policy_ids);
  const found = new Set(policies.map(({ id }) => id));
  const aborted = outcome?.abort_reason ?? "";
  const isRefused = event.decision === "DENY" || event.deny_reason !== "";
  return {
    event,
    outcome,
    why: aborted === ""
      ? whyDecided(event.decision, event.deny_reason, event.policy_ids.length)
      : whyDecided("ABORT", aborted, 0),
    policies,
    texts,
    unknownPolicies: event.policy_ids.filter((id) => !found.has(id)),
    policyNote: policyNote(event, texts),
    facts: factsThatMattered(event, policies),
    particulars: particulars(event, outcome),
    remedy: isRefused ? remedyFor(event, policies) : undefined,
    command: commandFor(event),
  };
}

function policyNote({ policy_ids, bundle_version }: DecisionEvent, texts?: PolicyTexts): string {
  if (policy_ids.length === 0) return "";
  if (texts === undefined) return "the texts of these policies are not at hand";
  if (bundle_version === "" || bundle_version === texts.version) return "";
  return "the policies have changed since; shown as they are now";
}

function particulars(event: DecisionEvent, outcome: OutcomeEvent | undefined): Fact[] {
  const { envelope } = event;
  const provenance = envelope?.provenance ?? event.provenance;
  const attributes = Object.entries(envelope?.intent.attributes ?? {})
    .map((
      [name, value],
    ): Fact => [name, typeof value === "string" ? value : JSON.stringify(value)]);
  const facts: Fact[] = [
    ["method", event.method],
    ["resource", event.resource],
    ["class", event.action_class],
    ["detail", event.detail],
    ...attributes,
    ["hidden", envelope?.intent.hidden?.join(", ") ?? ""],
    ["rule", envelope?.intent.raw_action_ref ?? ""],
    ["program", provenance?.executable ?? ""],
    ["came by", provenance?.via === "api" ? "the decision API" : provenance?.via ?? ""],
    ["came from", provenance?.address ?? ""],
    ["enforced", event.enforced === false ? "no: in monitor mode the call went out" : ""],
    ["agent", event.agent_id],
    ["session", event.session_id],
    ["sandbox", event.sandbox_id],
    ["token", event.token_id ?? ""],
    ["bundle", event.bundle_version ?? ""],
    ["credential", credentialOf(outcome?.credential)],
    ["carried", carriedBy(envelope?.credential)],
    ["outcome", outcome === undefined ? "" : outcomeOf(outcome)],
    ["event", event.event_id],
  ];
  return facts.filter(([, value]) => typeof value === "string" && value !== "");
}

/** Whose credential the call had; nothing where there was none, or where the line says nonsense. */
function carriedBy(credential: unknown): string {
  const { carries, brokered } = (credential ?? {}) as Readonly<Record<string, unknown>>;
  if (carries === "broker") return "a configured credential";
  if (carries !== "agent") return "";
  return brokered === true
    ? "a credential of the agent's own, where one is configured"
    : "a credential of the agent's own";
}

/** Looks at each member: whoever wrote the line may have written anything there. */
function credentialOf(credential: OutcomeEvent["credential"]): string {
  const { label, provider, scope, expires_at: end } = credential ?? {};
  if (typeof label !== "string" || typeof provider !== "string") return "";
  const good = typeof scope === "string" && scope !== "" ? `, for ${scope}` : "";
  return `${label} from ${provider}${good}${typeof end === "string" ? `, until ${end}` : ""}`;
}

function outcomeOf({ status, abort_reason, detail, response_bytes, latency_us }: OutcomeEvent) {
  const head = abort_reason === "" ? `status ${status}` : abort_reason;
  const told = detail === "" ? "" : `, ${detail}`;
  return `${head}, ${response_bytes} bytes in ${Math.round(latency_us / 1_000)} ms${told}`;
}

function commandFor({ envelope, method }: DecisionEvent): string {
  const intent = envelope?.intent;
  if (intent?.resource.id === undefined) return "";
  const { raw_transport, resource } = intent;
  if (raw_transport === "connect") return "";
  return `firma policy explain ${shellWord(`${method} ${raw_transport}://${resource.id}`)}`;
}
