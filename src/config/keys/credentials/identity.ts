import { key } from "../../key.ts";
import { NOT_EMPTY, oneOf } from "../../value_type.ts";
import { AWS_KEYS, checkDuration } from "./aws_role.ts";
import { credentialKind } from "./kind.ts";
import { AUDIENCE, serviceReach, TOKEN_KEYS } from "./service_keys.ts";
import { VAULT_KEYS, VAULT_PATH } from "./vault.ts";

/** Keys of all kinds that show an ID token of the Authority. */
const IDENTITY_KEYS = {
  identity_audience: key(NOT_EMPTY, {
    about: "Audience of the ID token, as in `[authority.identity]`",
    required: true,
    example: "sts.amazonaws.com",
    applies: "live",
  }),
};

/** `provider = "token_exchange"`. */
export const TOKEN_EXCHANGE = credentialKind("A token that a service gives for an ID token", {
  ...TOKEN_KEYS,
  ...IDENTITY_KEYS,
  ...AUDIENCE,
  subject_token_type: key(oneOf(["id_token", "jwt"]), {
    about: "What the service takes the ID token for",
    default: "id_token",
    example: "jwt",
    applies: "live",
  }),
}, { reach: ({ token_url, ca_file }) => serviceReach(token_url, ca_file) });

/** `provider = "aws_web_identity"`. */
export const AWS_WEB_IDENTITY = credentialKind(
  "Keys of an AWS role that trusts the Authority, which calls are signed with",
  { ...AWS_KEYS, ...IDENTITY_KEYS },
  {
    reach: ({ sts_url, ca_file }) => serviceReach(sts_url, ca_file),
    check: checkDuration,
    signs: true,
  },
);

/** `provider = "vault_identity"`. */
export const VAULT_IDENTITY = credentialKind(
  "A secret of HashiCorp Vault or OpenBao that trusts the Authority",
  {
    ...VAULT_KEYS,
    ...IDENTITY_KEYS,
    vault_role: key(NOT_EMPTY, {
      about: "Role to sign in with at the JWT auth method",
      required: true,
      example: "agents",
      applies: "live",
    }),
    jwt_mount: key(VAULT_PATH, {
      about: "Where that auth method is mounted",
      default: "jwt",
      example: "firma",
      applies: "live",
    }),
  },
  { reach: ({ vault_url, ca_file }) => serviceReach(vault_url, ca_file) },
);
