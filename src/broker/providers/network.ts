/** The providers that ask a service over the network, as `firma.toml` describes them. */
import type { ProviderFactory } from "../provider.ts";
import { awsRole } from "./aws/provider.ts";
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
  return { by: "none" };
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

/** `provider = "vault"`. */
export const vaultProvider: ProviderFactory<"vault"> = (settings, context) => {
  const { vault_secret_file: file, role_id: roleId, auth_mount: mount } = settings;
  const authentication: VaultAuthentication = roleId === undefined
    ? { by: "token_file", tokenFile: file }
    : { by: "approle", mount, roleId, secretIdFile: file };
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
};

/** `provider = "aws_role"`. */
export const awsRoleProvider: ProviderFactory<"aws_role"> = (settings, context) =>
  awsRole({
    roleArn: settings.role_arn,
    proof: { by: "keys", file: settings.aws_keys_file, profile: settings.aws_profile },
    stsUrl: settings.sts_url,
    stsRegion: settings.sts_region,
    sessionPolicy: settings.session_policy,
    durationS: settings.session_duration / 1000,
    region: settings.aws_region,
    service: settings.aws_service,
  }, networkWorld(context, settings.ca_file));
