import { ok, type Result } from "../../../core/result.ts";
import type { CredentialNeed } from "../../hand_out.ts";
import type { ProviderWorld } from "../provider_world.ts";
import { credentialFault, originOf } from "../service/fault.ts";
import { secretToken } from "../service/token.ts";
import { loginRequest, readLogin, type VaultServer, type VaultToken } from "./messages.ts";

/** How firma signs in to a Vault. */
export type VaultAuthentication =
  /** A token that somebody keeps in a file, as Vault's own agent does. */
  | { readonly by: "token_file"; readonly tokenFile: string }
  | {
    readonly by: "approle";
    /** Where the auth method is mounted, such as `approle`. */
    readonly mount: string;
    readonly roleId: string;
    readonly secretIdFile: string;
  }
  /** An ID token of the Authority about the agent. */
  | {
    readonly by: "identity_token";
    readonly mount: string;
    readonly role: string;
    readonly audience: string;
  };

/** A token is not used any more this long before its end, in milliseconds. */
const MARGIN_MS = 10_000;
/** Sessions that are signed in at once. */
const MOST_KEPT = 256;

/** Signs in where that is needed, and remembers it. */
export class VaultSession {
  readonly #server: VaultServer;
  readonly #authentication: VaultAuthentication;
  readonly #world: ProviderWorld;
  readonly #kept = new Map<string, VaultToken>();

  constructor(server: VaultServer, authentication: VaultAuthentication, world: ProviderWorld) {
    this.#server = server;
    this.#authentication = authentication;
    this.#world = world;
  }

  /** A token to ask with for what `need` needs. */
  async token(need: CredentialNeed, signal: AbortSignal): Promise<Result<string>> {
    const authentication = this.#authentication;
    if (authentication.by === "token_file") {
      const text = await this.#world.readSecret(authentication.tokenFile);
      if (!text.ok) return text;
      const token = secretToken(text.value, "token");
      return token.ok ? token : credentialFault(
        "secret",
        originOf(this.#server.address),
        `"${authentication.tokenFile}" is of no use: it is not one line`,
      );
    }
    const who = this.#who(need);
    const kept = this.#kept.get(who);
    const { expiresAtMs = Infinity } = kept ?? { expiresAtMs: -Infinity };
    if (kept !== undefined && expiresAtMs - MARGIN_MS > this.#world.now()) return ok(kept.token);
    const body = await this.#loginBody(authentication, need);
    if (!body.ok) return body;
    const request = loginRequest(this.#server, authentication.mount, body.value);
    const answer = await this.#world.ask(request, signal);
    if (!answer.ok) return answer;
    const origin = originOf(this.#server.address);
    if (answer.value.status !== 200) {
      const state = `it answered ${answer.value.status} when signed in to at ` +
        `"auth/${authentication.mount}"`;
      return credentialFault("refused", origin, state);
    }
    const login = readLogin(answer.value, this.#world.now());
    if (!login.ok) return credentialFault("answer", origin, login.error);
    if (this.#kept.size >= MOST_KEPT) this.#kept.clear();
    this.#kept.set(who, login.value);
    return ok(login.value.token);
  }

  /** Tells that Vault takes the token of `need` no more. */
  forget(need: CredentialNeed): boolean {
    return this.#kept.delete(this.#who(need));
  }

  #who({ agentId, sessionId }: CredentialNeed): string {
    return this.#authentication.by === "identity_token" ? `${agentId} ${sessionId}` : "";
  }

  async #loginBody(
    authentication: Exclude<VaultAuthentication, { by: "token_file" }>,
    need: CredentialNeed,
  ): Promise<Result<Record<string, string>>> {
    if (authentication.by === "approle") {
      const secretId = await this.#world.readSecret(authentication.secretIdFile);
      return secretId.ok
        ? ok({ role_id: authentication.roleId, secret_id: secretId.value })
        : secretId;
    }
    const jwt = await this.#world.identityToken(authentication.audience, need);
    return jwt.ok ? ok({ role: authentication.role, jwt: jwt.value }) : jwt;
  }
}
