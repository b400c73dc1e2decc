import type { CredentialNeed } from "../../src/broker/hand_out.ts";
import type { CredentialConfig } from "../../src/config/keys/credentials/credential.ts";
import { editionOf } from "../../src/config/keys/credentials/edition.ts";
import type { CredentialSource } from "../../src/config/keys/credentials/kinds.ts";

/** The edition of what was last made under a name. */
const EDITIONS = new Map<string, string>();

/** A credential for `api.a.test`, from a variable unless something else is said. */
export function credential(
  label: string,
  source: CredentialSource = { kind: "environment", settings: { variable: "KEY" } },
  special: Partial<CredentialConfig> = {},
): CredentialConfig {
  const made: CredentialConfig = {
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
  EDITIONS.set(label, editionOf(made));
  return made;
}

/** What a call to `api.a.test` needs: of the credential that was last made under this name. */
export function needOf(label: string, special: Partial<CredentialNeed> = {}): CredentialNeed {
  return {
    label,
    edition: EDITIONS.get(label) ?? "",
    host: "api.a.test",
    port: 443,
    actionClass: "code.read",
    resource: "",
    sessionId: "ses_1",
    agentId: "agt_1",
    ...special,
  };
}
