/** What is known of services that give secrets out. */
import type { SecretStore, SensitiveRule, StoreRule } from "./secret_store.ts";

/** The rules of a store, without where it is. */
export type StoreRules = Pick<SecretStore, "blocked" | "sensitive" | "safe">;

const get = (...paths: string[]): StoreRule[] =>
  paths.map((path) => ({ path, methods: ["GET", "HEAD"] }));

function sensitive(
  path: string,
  values: readonly string[],
  more: Partial<SensitiveRule> = {},
): SensitiveRule {
  return {
    path,
    methods: ["GET", "HEAD"],
    values: values.map((text) => ({ text, steps: text.split(".") })),
    encoding: "plain",
    ...more,
  };
}

const aws = (operation: string) => ({
  path: "/",
  methods: ["POST"],
  operation: `secretsmanager.${operation}`,
});

/** By the word that `firma.toml` has for them. */
export const STORE_PRESETS = {
  vault: {
    blocked: [],
    sensitive: [
      // KV version 2, at any mount, and secrets that are made when they are asked for.
      sensitive("/v1/*/data/**", ["data.data.**"]),
      sensitive("/v1/*/creds/**", ["data.**"]),
    ],
    safe: [
      ...get("/v1/sys/health", "/v1/sys/seal-status", "/v1/sys/internal/ui/mounts/**"),
      { path: "/v1/*/metadata/**", methods: ["GET", "HEAD", "LIST"] },
    ],
  },
  "aws-secrets-manager": {
    blocked: [],
    sensitive: [
      sensitive("/", ["SecretString", "SecretBinary"], aws("GetSecretValue")),
      sensitive(
        "/",
        ["SecretValues.*.SecretString", "SecretValues.*.SecretBinary"],
        aws("BatchGetSecretValue"),
      ),
      sensitive("/", ["RandomPassword"], aws("GetRandomPassword")),
    ],
    safe: ["DescribeSecret", "ListSecrets", "ListSecretVersionIds"].map(aws),
  },
  "gcp-secret-manager": {
    blocked: [],
    sensitive: ["/v1/projects/*/secrets/*", "/v1/projects/*/locations/*/secrets/*"].map((secret) =>
      sensitive(`${secret}/versions/*:access`, ["payload.data"], { encoding: "base64" })
    ),
    safe: ["/v1/projects/*/secrets", "/v1/projects/*/locations/*/secrets"].flatMap((secrets) =>
      get(secrets, `${secrets}/*`, `${secrets}/*/versions`, `${secrets}/*/versions/*`)
    ),
  },
  "azure-key-vault": {
    blocked: [],
    sensitive: [sensitive("/secrets/*", ["value"]), sensitive("/secrets/*/*", ["value"])],
    safe: get("/secrets", "/secrets/*/versions", "/keys", "/certificates"),
  },
  doppler: {
    blocked: [],
    sensitive: [
      sensitive("/v3/configs/config/secret", ["value.raw", "value.computed"]),
      sensitive("/v3/configs/config/secrets", ["secrets.*.raw", "secrets.*.computed"]),
      sensitive("/v3/configs/config/secrets/download", ["**"]),
    ],
    safe: get(
      "/v3/configs/config/secrets/names",
      "/v3/projects",
      "/v3/configs",
      "/v3/environments",
    ),
  },
  infisical: {
    blocked: [],
    sensitive: ["/api/v3/secrets/raw", "/api/v4/secrets"].flatMap((secrets) => [
      sensitive(secrets, ["secrets.*.secretValue", "imports.*.secrets.*.secretValue"]),
      sensitive(`${secrets}/*`, ["secret.secretValue"]),
    ]),
    safe: get("/api/status"),
  },
  "1password-connect": {
    blocked: [],
    sensitive: [sensitive("/v1/vaults/*/items/*", ["fields.*.value", "fields.*.totp"])],
    safe: get("/v1/vaults", "/v1/vaults/*", "/v1/vaults/*/items", "/health", "/heartbeat"),
  },
} as const satisfies Readonly<Record<string, StoreRules>>;

/** The word for a store. */
export type StorePreset = keyof typeof STORE_PRESETS;
