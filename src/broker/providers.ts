/**
 * The providers, one for each kind of source. To add one, write its factory in a file in
 * `providers/`, beside its keys in `src/config/keys/credentials`, and name it here.
 */
import type { CredentialConfig } from "../config/keys/credentials/credential.ts";
import type { CredentialKindName } from "../config/keys/credentials/kinds.ts";
import type { CredentialProvider } from "./hand_out.ts";
import type { ProviderContext, ProviderFactory } from "./provider.ts";
import { commandProvider } from "./providers/command.ts";
import { environmentProvider } from "./providers/environment.ts";
import { fileProvider } from "./providers/file.ts";
import { keyringProvider } from "./providers/keyring.ts";
import { signInProvider } from "./providers/sign_in/provider.ts";
import {
  awsRoleProvider,
  awsWebIdentityProvider,
  githubAppProvider,
  oauthClientProvider,
  oauthRefreshProvider,
  tokenExchangeProvider,
  vaultIdentityProvider,
  vaultProvider,
} from "./providers/network.ts";

const FACTORIES: { readonly [K in CredentialKindName]: ProviderFactory<K> } = {
  environment: environmentProvider,
  file: fileProvider,
  keyring: keyringProvider,
  command: commandProvider,
  sign_in: signInProvider,
  oauth_client: oauthClientProvider,
  oauth_refresh: oauthRefreshProvider,
  github_app: githubAppProvider,
  vault: vaultProvider,
  aws_role: awsRoleProvider,
  token_exchange: tokenExchangeProvider,
  vault_identity: vaultIdentityProvider,
  aws_web_identity: awsWebIdentityProvider,
};

/** Makes the provider of a credential. */
export function createProvider(
  credential: CredentialConfig,
  context: Omit<ProviderContext, "credential">,
): CredentialProvider {
  const { kind, settings } = credential.source;
  // The settings were read by the section of this very kind.
  const factory = FACTORIES[kind] as (
    settings: unknown,
    context: ProviderContext,
  ) => CredentialProvider;
  return factory(settings, { ...context, credential });
}
