import { ok, type Result } from "../../../core/result.ts";
import type { CredentialNeed, CredentialProvider, HandOut } from "../../hand_out.ts";
import type { Present } from "../present.ts";
import type { ProviderWorld } from "../provider_world.ts";
import type { ServiceAnswer, ServiceRequest } from "../service/ask.ts";
import { credentialFault, originOf } from "../service/fault.ts";
import type { JsonObject } from "../service/json_answer.ts";
import {
  fieldOf,
  type Lease,
  readRenewal,
  readRequest,
  type ReadSecret,
  readSecretAnswer,
  renewRequest,
  type VaultServer,
} from "./messages.ts";
import { type VaultAuthentication, VaultSession } from "./vault_session.ts";

/** Options of {@linkcode vault}. */
export interface VaultOptions extends VaultServer {
  readonly authentication: VaultAuthentication;
  /** `kv2`: a version of a secret that lies there; `dynamic`: one that is made for whoever asks. */
  readonly engine: "kv2" | "dynamic";
  /** What is read, below `/v1`: `secret/data/github`, `database/creds/reader`. */
  readonly path: string;
  /** The member of the secret that is handed out. */
  readonly field: string;
  /** The member that names the user, where the secret is the password of one. */
  readonly userField: string | undefined;
  readonly present: Present;
}

/** A lease that is over sooner than this is not renewed but replaced, in milliseconds. */
const SHORTEST_RENEWAL_MS = 60_000;
const MOST_LEASES = 256;

interface Leased {
  readonly data: JsonObject;
  readonly lease: Lease;
}

/** A secret of HashiCorp Vault or OpenBao. Leases are renewed for as long as Vault agrees. */
export function vault(options: VaultOptions, world: ProviderWorld): CredentialProvider {
  const session = new VaultSession(options, options.authentication, world);
  const leases = new Map<string, Leased>();
  const origin = originOf(options.address);
  const isPersonal = options.authentication.by === "identity_token";
  const scope = ({ agentId, sessionId }: CredentialNeed) =>
    `"${options.field}" of ${options.path}${isPersonal ? `, ${agentId}, ${sessionId}` : ""}`;

  /** Asks with a token; one that was remembered and is taken no more is replaced, once. */
  async function ask(
    need: CredentialNeed,
    request: (token: string) => ServiceRequest,
    signal: AbortSignal,
  ): Promise<Result<ServiceAnswer>> {
    const token = await session.token(need, signal);
    if (!token.ok) return token;
    const answer = await world.ask(request(token.value), signal);
    if (!answer.ok || answer.value.status !== 403 || !session.forget(need)) return answer;
    const another = await session.token(need, signal);
    return another.ok ? await world.ask(request(another.value), signal) : another;
  }

  async function renew(
    need: CredentialNeed,
    { data, lease }: Leased,
    signal: AbortSignal,
  ): Promise<Leased | undefined> {
    const answer = await ask(need, (token) => renewRequest(options, lease.id, token), signal);
    if (!answer.ok || answer.value.status !== 200) return undefined;
    const renewed = readRenewal(answer.value, world.now());
    if (!renewed.ok || renewed.value.id !== lease.id) return undefined;
    const isShort = renewed.value.expiresAtMs - world.now() < SHORTEST_RENEWAL_MS;
    return isShort ? undefined : { data, lease: renewed.value };
  }

  async function read(need: CredentialNeed, signal: AbortSignal): Promise<Result<ReadSecret>> {
    const answer = await ask(need, (token) => readRequest(options, options.path, token), signal);
    if (!answer.ok) return answer;
    const { status } = answer.value;
    if (status !== 200) {
      const state = status === 404
        ? `there is no secret at "${options.path}"`
        : `it answered ${status} when asked for "${options.path}"`;
      return credentialFault("refused", origin, state);
    }
    const secret = readSecretAnswer(answer.value, options.engine, world.now());
    return secret.ok ? secret : credentialFault("answer", origin, secret.error);
  }

  async function current(need: CredentialNeed, signal: AbortSignal): Promise<Result<ReadSecret>> {
    const held = leases.get(scope(need));
    leases.delete(scope(need));
    const isOpen = held?.lease.isRenewable && held.lease.expiresAtMs > world.now();
    const renewed = held && isOpen ? await renew(need, held, signal) : undefined;
    const secret = renewed === undefined ? await read(need, signal) : ok(renewed);
    if (!secret.ok || secret.value.lease === undefined) return secret;
    if (leases.size >= MOST_LEASES) leases.clear();
    leases.set(scope(need), { data: secret.value.data, lease: secret.value.lease });
    return secret;
  }

  function handOut({ data, lease }: ReadSecret, { label }: CredentialNeed): Result<HandOut> {
    const token = fieldOf(data, options.field);
    if (!token.ok) return credentialFault("answer", origin, token.error);
    const expiresAtMs = lease?.expiresAtMs;
    if (options.userField === undefined) {
      return options.present({ token: token.value, expiresAtMs });
    }
    const user = fieldOf(data, options.userField);
    if (!user.ok) return credentialFault("answer", origin, user.error);
    if (!/^[\x21-\x39\x3b-\x7e]+$/.test(user.value) || !/^[\x21-\x7e]+$/.test(token.value)) {
      return credentialFault("answer", origin, "no header may carry the secret");
    }
    const basic = btoa(`${user.value}:${token.value}`);
    return ok({
      label,
      headers: [["authorization", `Basic ${basic}`]],
      secrets: [token.value, basic],
      ...(expiresAtMs !== undefined && { expiresAtMs }),
    });
  }

  return {
    kind: "vault",
    scope,
    async obtain(need, signal) {
      const secret = await current(need, signal);
      return secret.ok ? handOut(secret.value, need) : secret;
    },
  };
}
