import type { CredentialNeed } from "../../src/broker/hand_out.ts";
import type { CredentialConfig } from "../../src/config/keys/credentials/credential.ts";
import type { CredentialSource } from "../../src/config/keys/credentials/kinds.ts";

/** A credential for `api.a.test`, from a variable unless something else is said. */
export function credential(
  label: string,
  source: CredentialSource = { kind: "environment", settings: { variable: "KEY" } },
  special: Partial<CredentialConfig> = {},
): CredentialConfig {
  return {
    label,
    hosts: [{ host: "api.a.test", port: 443 }],
    paths: [],
    actionClasses: [],
    form: { header: "authorization", prefix: "Bearer ", basicUser: undefined },
    agentVariables: [],
    placeholder: undefined,
    refreshMs: 300_000,
    timeoutMs: 10_000,
    source,
    ...special,
  };
}

/** What a call to `api.a.test` needs. */
export function needOf(label: string, special: Partial<CredentialNeed> = {}): CredentialNeed {
  return {
    label,
    host: "api.a.test",
    port: 443,
    actionClass: "code.read",
    resource: "",
    sessionId: "ses_1",
    agentId: "agt_1",
    ...special,
  };
}
