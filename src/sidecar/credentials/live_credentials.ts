import type { CredentialConfig } from "../../config/keys/credentials/credential.ts";
import { editionOf } from "../../config/keys/credentials/edition.ts";
import { signInServiceOf } from "../../config/keys/credentials/sign_in.ts";
import { type CredentialChange, credentialWords } from "../../core/credential_change.ts";
import { ok, type Result } from "../../core/result.ts";
import type { PlaceholderDemand } from "../../secrets/placeholder.ts";
import type { DataPlane } from "../data_plane.ts";
import type { BrokerKeeper } from "./broker_keeper.ts";
import { credentialTargets } from "./credential_targets.ts";

/** The credentials of a Sidecar, which may become others while it decides calls. */
export class LiveCredentials {
  readonly #plane: Pick<DataPlane, "setCredentials">;
  readonly #broker: Pick<BrokerKeeper, "replace" | "retire"> | undefined;
  readonly #revisions = new Map<string, number>();
  #inForce: readonly CredentialConfig[];

  /** @param broker where there is none, credentials stay as they are */
  constructor(
    credentials: readonly CredentialConfig[],
    plane: Pick<DataPlane, "setCredentials">,
    broker: Pick<BrokerKeeper, "replace" | "retire"> | undefined,
  ) {
    this.#inForce = credentials;
    this.#plane = plane;
    this.#broker = broker;
  }

  /** Those in force. */
  get inForce(): readonly CredentialConfig[] {
    return this.#inForce;
  }

  /** Whether they can become others: who may start a broker is settled when a Sidecar starts. */
  get canChange(): boolean {
    return this.#broker !== undefined;
  }

  /** What sessions that open now get placeholders of. */
  get demands(): readonly PlaceholderDemand[] {
    return this.#inForce.map(({ label, hosts, form, agentVariables, placeholder, source }) => ({
      label,
      hosts: hosts.map(({ host }) => host),
      header: form.header,
      variables: agentVariables,
      shape: placeholder,
      ...source.kind === "sign_in" && { signIn: signInServiceOf(source.settings).shapes },
    }));
  }

  /**
   * Puts others in force, all of them or none. When it resolves well, nothing is handed out any more
   * of what was changed or removed. One at a time.
   */
  async put(wanted: readonly CredentialConfig[]): Promise<Result<CredentialChange>> {
    const next = wanted.map((credential) => this.#revised(credential));
    const change = compare(this.#inForce, next);
    if (credentialWords(change) === "") return ok(change);
    // First, so that there is somebody to ask for what calls will need; what they need until then is
    // asked of the broker before.
    const replaced = await this.#broker!.replace(next);
    if (!replaced.ok) return replaced;
    await this.#plane.setCredentials(next.flatMap(credentialTargets));
    this.#broker!.retire();
    this.#inForce = next;
    return ok(change);
  }

  /** Has these obtained anew: their source holds another secret. One at a time. */
  async renew(labels: readonly string[]): Promise<Result<CredentialChange>> {
    for (const label of labels) {
      this.#revisions.set(label, (this.#revisions.get(label) ?? 0) + 1);
    }
    return await this.put(this.#inForce);
  }

  #revised(credential: CredentialConfig): CredentialConfig {
    const revision = this.#revisions.get(credential.label);
    return revision === undefined ? credential : { ...credential, revision };
  }
}

function compare(
  before: readonly CredentialConfig[],
  after: readonly CredentialConfig[],
): CredentialChange {
  const known = new Map(before.map((each) => [each.label, editionOf(each)]));
  const kept = new Set(after.map(({ label }) => label));
  return {
    added: labels(after.filter(({ label }) => !known.has(label))),
    changed: labels(after.filter((each) => isOther(known.get(each.label), editionOf(each)))),
    removed: labels(before.filter(({ label }) => !kept.has(label))),
  };
}

function isOther(before: string | undefined, after: string): boolean {
  return before !== undefined && before !== after;
}

function labels(credentials: readonly CredentialConfig[]): string[] {
  return credentials.map(({ label }) => label).sort();
}
