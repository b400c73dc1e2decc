import type { DecisionEvent } from "../../core/event.ts";
import { operationEnvelopes } from "../../core/envelope.ts";
import { type PolicyPlace, readHead } from "./policy_texts.ts";
import { cedarString, tomlString } from "./quoting.ts";

/** What would allow a call like this one, for an operator to judge. */
export interface Remedy {
  /** What to do with the code, or what to do where there is none. */
  readonly what: string;
  /** Cedar or TOML, ready to be copied; empty where no line helps. */
  readonly code: string;
}

/** Says what would allow a denied call; nothing where only the agent can change something. */
export function remedyFor(
  event: DecisionEvent,
  determining: readonly PolicyPlace[],
): Remedy | undefined {
  switch (event.deny_reason) {
    case "PolicyDenied":
    case "StepUpRequired":
    case "Deferred":
      return event.policy_ids.length === 0 ? permit(event) : exception(event, determining);
    case "UnclassifiedIntent":
      return mappingRule(event);
    case "ToolNotInScope":
      return {
        what: "Let the Authority grant it, in the issuance policies; the next token has it:",
        code: permitCode(event, { resource: false }),
      };
    case "LoopbackBlocked":
      return connector(event);
    default: {
      const what = ACTIONS.get(event.deny_reason);
      return what === undefined ? undefined : { what, code: "" };
    }
  }
}

/** By reason; a map, for a log may hold a reason such as `valueOf`. */
const ACTIONS: ReadonlyMap<string, string> = new Map(Object.entries({
  TokenInvalid: "Start the session again.",
  TokenExpired: "See whether the Authority runs; a new session gets a new token.",
  TokenRevoked: "If the revocation was a mistake, start a new session.",
  ScopeViolation: "Start the session with a token whose resource scope covers it.",
  AuthorityUnavailable: "See whether the Authority runs and can be reached.",
  PolicyBundleStale: "See whether the Authority runs and can be reached.",
  PolicyBundleNotReady: "See whether the policies are valid: firma policy validate.",
  RevocationCacheNotReady: "See whether the Authority runs and can be reached.",
  FailClosed: "See whether the audit log can be written, and what the Sidecar says.",
  TenantMismatch: "Start the session again.",
  PlaceholderRefused:
    "See what the agent was about to send and to whom: it may be leaking. If it " +
    "is meant to, name the host in the credential's hosts.",
  SecretStoreBlocked: "If its answer holds no secret, or you know where, add a matcher for it to " +
    "the store in [[sidecar.http_secret_providers]]; what a program may read is in its names " +
    "in [[sidecar.cli_secret_providers]].",
}));

function permit(event: DecisionEvent): Remedy {
  const hidden = event.envelope?.intent.hidden ?? [];
  const exact = !hidden.includes("resource.id");
  const what = exact
    ? "A policy that permits this class, for this agent and this resource alone:"
    : "The call hides its resource. A policy that permits this class for its host:";
  return { what, code: permitCode(event, { resource: true, exact }) };
}

function exception(event: DecisionEvent, determining: readonly PolicyPlace[]): Remedy {
  const challenge = determining.map(({ text }) => readHead(text).annotations.get("step_up"))
    .find((text) => text !== undefined);
  const asks = event.deny_reason === "StepUpRequired"
    ? `It waits for an approval${challenge === undefined ? "" : `: "${challenge}"`}. To do without`
    : "A forbid outweighs every permit. To except this call";
  const many = event.policy_ids.length > 1 ? "each of the policies above" : "the policy above";
  return {
    what: `${asks}, end ${many} with this before its semicolon; a permit must cover it as well:`,
    code: `unless {\n  ${conditionOf(event)}\n}`,
  };
}

/** What is true of this agent and this resource alone. */
function conditionOf(event: DecisionEvent): string {
  const agent = `principal == Firma::Agent::${cedarString(event.agent_id)}`;
  return `${agent} &&\n  resource == Firma::Resource::${cedarString(resourceId(event))}`;
}

function permitCode(
  event: DecisionEvent,
  { resource, exact = true }: { readonly resource: boolean; readonly exact?: boolean },
): string {
  const actions = classesOf(event).map((name) => `Firma::Action::${cedarString(name)}`);
  const action = actions.length === 1
    ? `action == ${actions[0]}`
    : `action in [${actions.join(", ")}]`;
  const principal = `principal == Firma::Agent::${cedarString(event.agent_id)}`;
  const id = cedarString(resourceId(event));
  const scope = resource && exact ? `resource == Firma::Resource::${id}` : "resource";
  const head = `permit (\n  ${principal},\n  ${action},\n  ${scope}\n)`;
  if (!resource || exact) return `${head};`;
  const host = cedarString(event.envelope?.intent.resource.host ?? "");
  return `${head}\nwhen { resource has host && resource.host == ${host} };`;
}

/** The classes of all that the call does, each once. */
function classesOf({ action_class, envelope }: DecisionEvent): string[] {
  if (envelope === undefined) return [action_class];
  const classes = operationEnvelopes(envelope).map(({ intent }): string => intent.action_class);
  return [...new Set(classes)];
}

function resourceId({ envelope, resource }: DecisionEvent): string {
  return envelope?.intent.resource.id ?? resource.split("?", 1)[0]!;
}

function mappingRule(event: DecisionEvent): Remedy {
  const { host, path } = placeOf(event);
  // What a rule would read as a wildcard must not come from an agent.
  if (/[*{}]/.test(host + path)) {
    return { what: "Say in a mapping file what it does, with a pattern of your own.", code: "" };
  }
  const method = /^[A-Z]+$/.test(event.method) ? `method = ${tomlString(event.method)}\n` : "";
  return {
    what: "Say in a mapping file what it does; the policies then decide about that class:",
    code: `[[rules]]\nhost = ${tomlString(host)}\n${method}path = ${tomlString(path)}\n` +
      `action_class = "?"  # what it does, one of: firma policy list --classes`,
  };
}

function connector(event: DecisionEvent): Remedy {
  const { host, authority } = placeOf(event);
  const port = /:(\d+)$/.exec(authority)?.[1] ?? "443";
  return {
    what: "If the agent is meant to reach this address, say so in firma.toml:",
    code: `[[sidecar.connector.hosts]]\nhost = ${tomlString(host)}\n` +
      `connect_addr = ${tomlString(`${host}:${port}`)}`,
  };
}

/** Host and path of a call that may have no envelope. */
function placeOf(event: DecisionEvent): { host: string; path: string; authority: string } {
  const [bare] = event.resource.split("?", 1);
  const slash = bare!.indexOf("/");
  const authority = slash < 0 ? bare! : bare!.slice(0, slash);
  return {
    authority,
    host: authority.replace(/:\d+$/, ""),
    path: slash < 0 ? "/" : bare!.slice(slash),
  };
}
