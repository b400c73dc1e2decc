import { key } from "../../key.ts";
import { NOT_EMPTY, oneOf, PATH, text } from "../../value_type.ts";
import { credentialKind } from "./kind.ts";
import { SERVICE_KEYS, serviceReach } from "./service_keys.ts";
import { SERVICE_URL } from "./service_url.ts";

/** Letters that need no escape in a URL, and no way up. */
export const VAULT_PATH = text<string>("path", { pattern: "^[^/]" }, (value) => {
  const words = value.split("/");
  return words.every((word) => /^[\w.@+:-]+$/.test(word) && !/^\.+$/.test(word))
    ? { value }
    : { state: `"${value}" is not a path in Vault, without "/v1/" before it` };
});

/** Keys of all kinds that read a secret of Vault. */
export const VAULT_KEYS = {
  ...SERVICE_KEYS,
  vault_url: key(SERVICE_URL, {
    about: "Where Vault is",
    required: true,
    example: "https://vault.acme.test",
    applies: "live",
  }),
  vault_namespace: key(NOT_EMPTY, {
    about: "Its namespace",
    otherwise: "none",
    example: "agents",
    applies: "live",
  }),
  engine: key(oneOf(["kv2", "dynamic"]), {
    about: "Whether it lies there (KV version 2) or is made, with a lease",
    default: "kv2",
    example: "dynamic",
    applies: "live",
  }),
  secret_path: key(VAULT_PATH, {
    about: "What is read, as in its HTTP interface: of KV version 2 with `data` in it",
    required: true,
    example: "secret/data/github",
    applies: "live",
  }),
  field: key(NOT_EMPTY, {
    about: "The member of the secret that is sent",
    default: "value",
    example: "token",
    applies: "live",
  }),
  user_field: key(NOT_EMPTY, {
    about: "The member that names the user whose password that is; it is sent as Basic then",
    otherwise: "none",
    example: "username",
    applies: "live",
  }),
};

/** `provider = "vault"`. */
export const VAULT = credentialKind("A secret of HashiCorp Vault or OpenBao", {
  ...VAULT_KEYS,
  vault_secret_file: key(PATH, {
    about: "File of mode 0600 with a token of Vault; with `role_id`, the secret id of that role",
    required: true,
    example: "/run/vault/token",
    applies: "live",
  }),
  role_id: key(NOT_EMPTY, {
    about: "Role to sign in with (AppRole)",
    otherwise: "the file holds a token",
    example: "5f1c0c3a-agents",
    applies: "live",
  }),
  auth_mount: key(VAULT_PATH, {
    about: "Where AppRole is mounted",
    default: "approle",
    example: "agents-approle",
    applies: "live",
  }),
}, {
  reach: ({ vault_url, ca_file, vault_secret_file }) =>
    serviceReach(vault_url, ca_file, vault_secret_file),
});
