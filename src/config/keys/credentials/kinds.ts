import { AWS_ROLE } from "./aws_role.ts";
import { COMMAND } from "./command.ts";
import { ENVIRONMENT } from "./environment.ts";
import { FILE } from "./file.ts";
import { AWS_WEB_IDENTITY, TOKEN_EXCHANGE, VAULT_IDENTITY } from "./identity.ts";
import { KEYRING } from "./keyring.ts";
import { GITHUB_APP } from "./github_app.ts";
import type { CredentialKind } from "./kind.ts";
import { OAUTH_CLIENT, OAUTH_REFRESH } from "./oauth.ts";
import { SIGN_IN } from "./sign_in.ts";
import { VAULT } from "./vault.ts";

/** Every kind of source, by the word that `provider` names it with. */
export const CREDENTIAL_KINDS = {
  environment: ENVIRONMENT,
  file: FILE,
  keyring: KEYRING,
  command: COMMAND,
  sign_in: SIGN_IN,
  oauth_client: OAUTH_CLIENT,
  oauth_refresh: OAUTH_REFRESH,
  github_app: GITHUB_APP,
  vault: VAULT,
  aws_role: AWS_ROLE,
  token_exchange: TOKEN_EXCHANGE,
  vault_identity: VAULT_IDENTITY,
  aws_web_identity: AWS_WEB_IDENTITY,
} as const;

type Kinds = typeof CREDENTIAL_KINDS;

/** The name of a kind of source. */
export type CredentialKindName = keyof Kinds;

/** What the keys of a kind say. */
export type SourceSettings<K extends CredentialKindName> = Kinds[K] extends CredentialKind<infer T>
  ? T
  : never;

/** Where a credential comes from: a kind with what its keys say. */
export type CredentialSource = {
  readonly [K in CredentialKindName]: { readonly kind: K; readonly settings: SourceSettings<K> };
}[CredentialKindName];

/** A kind by its name, its settings being those that it read itself. */
export function kindOf(name: CredentialKindName): CredentialKind<unknown> {
  return CREDENTIAL_KINDS[name] as CredentialKind<unknown>;
}
