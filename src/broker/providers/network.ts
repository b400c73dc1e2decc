/** The providers that ask a service over the network, as `firma.toml` describes them. */
import type { SourceSettings } from "../../config/keys/credentials/kinds.ts";
import type { CredentialProvider } from "../hand_out.ts";
import type { ProviderContext, ProviderFactory } from "../provider.ts";
import { awsRole, type RoleProof } from "./aws/provider.ts";
import { tokenExchange } from "./exchange/provider.ts";
import { githubApp } from "./github_app/provider.ts";
import { networkWorld, presenting } from "./network_world.ts";
import { clientCredentials } from "./oauth/client_credentials.ts";
import type { ClientAuthentication } from "./oauth/client_proof.ts";
import { refreshToken } from "./oauth/refresh_token.ts";
import { vault } from "./vault/provider.ts";
import type { VaultAuthentication } from "./vault/vault_session.ts";

interface ClientSettings {
  readonly client_secret_file: string | undefined;
  readonly client_secret_in: "header" | "form";
  readonly client_key_file: string | undefined;
  readonly client_key_id: string | undefined;
  readonly client_identity_audience?: string | undefined;
}

function authenticationOf(settings: ClientSettings): ClientAuthentication {
  const { client_secret_file: secretFile, client_key_file: keyFile } = settings;
  if (secretFile !== undefined) {
    const isHeader = settings.client_secret_in === "header";
    return { by: isHeader ? "client_secret_basic" : "client_secret_post", secretFile };
  }
  if (keyFile !== undefined) {
    return { by: "private_key_jwt", keyFile, keyId: settings.client_key_id };
  }
  const { client_identity_audience: audience } = settings;
  return audience === undefined ? { by: "none" } : { by: "identity_token", audience };
}

/** `provider = "oauth_client"`. */
export const oauthClientProvider: ProviderFactory<"oauth_client"> = (settings, context) =>
  clientCredentials({
    tokenUrl: settings.token_url,
    clientId: settings.client_id,
    authentication: authenticationOf(settings),
    scopes: settings.scopes,
    audience: settings.audience,
    present: presenting(context),
  }, networkWorld(context, settings.ca_file));

/** `provider = "oauth_refresh"`. */
export const oauthRefreshProvider: ProviderFactory<"oauth_refresh"> = (settings, context) =>
  refreshToken({
    tokenUrl: settings.token_url,
    clientId: settings.client_id,
    authentication: authenticationOf(settings),
    scopes: settings.scopes,
    refreshTokenFile: settings.refresh_token_file,
    present: presenting(context),
  }, networkWorld(context, settings.ca_file));

/** `provider = "github_app"`. */
export const githubAppProvider: ProviderFactory<"github_app"> = (settings, context) =>
  githubApp({
    appId: settings.app_id,
    keyFile: settings.app_key_file,
    apiUrl: settings.api_url,
    repository: settings.repository,
  }, networkWorld(context, settings.ca_file));

/** `provider = "token_exchange"`. */
export const tokenExchangeProvider: ProviderFactory<"token_exchange"> = (settings, context) =>
  tokenExchange({
    tokenUrl: settings.token_url,
    identityAudience: settings.identity_audience,
    subjectTokenType: settings.subject_token_type,
    audience: settings.audience,
    scopes: settings.scopes,
    present: presenting(context),
  }, networkWorld(context, settings.ca_file));

type VaultSettings = SourceSettings<"vault"> | SourceSettings<"vault_identity">;

function vaultWith(
  authentication: VaultAuthentication,
  settings: VaultSettings,
  context: ProviderContext,
): CredentialProvider {
  return vault({
    address: settings.vault_url,
    namespace: settings.vault_namespace,
    authentication,
    engine: settings.engine,
    path: settings.secret_path,
    field: settings.field,
    userField: settings.user_field,
    present: presenting(context),
  }, networkWorld(context, settings.ca_file));
}

/** `provider = "vault"`. */
export const vaultProvider: ProviderFactory<"vault"> = (settings, context) => {
  const { vault_secret_file: file, role_id: roleId, auth_mount: mount } = settings;
  const authentication: VaultAuthentication = roleId === undefined
    ? { by: "token_file", tokenFile: file }
    : { by: "approle", mount, roleId, secretIdFile: file };
  return vaultWith(authentication, settings, context);
};

/** `provider = "vault_identity"`. */
export const vaultIdentityProvider: ProviderFactory<"vault_identity"> = (settings, context) => {
  const { jwt_mount: mount, vault_role: role, identity_audience: audience } = settings;
  return vaultWith({ by: "identity_token", mount, role, audience }, settings, context);
};

type AwsSettings = SourceSettings<"aws_role"> | SourceSettings<"aws_web_identity">;

function awsWith(
  proof: RoleProof,
  stsRegion: string,
  settings: AwsSettings,
  context: ProviderContext,
): CredentialProvider {
  return awsRole({
    roleArn: settings.role_arn,
    proof,
    stsUrl: settings.sts_url,
    stsRegion,
    sessionPolicy: settings.session_policy,
    durationS: Math.floor(settings.session_duration / 1000),
    region: settings.aws_region,
    service: settings.aws_service,
  }, networkWorld(context, settings.ca_file));
}

/** `provider = "aws_role"`. */
export const awsRoleProvider: ProviderFactory<"aws_role"> = (settings, context) => {
  const { aws_keys_file: file, aws_profile: profile, sts_region: region } = settings;
  return awsWith({ by: "keys", file, profile }, region, settings, context);
};

/** `provider = "aws_web_identity"`. */
export const awsWebIdentityProvider: ProviderFactory<"aws_web_identity"> = (settings, context) => {
  // Its requests are not signed, so that no region is needed.
  const { identity_audience: audience } = settings;
  return awsWith({ by: "identity_token", audience }, "", settings, context);
};
