import { key } from "../../key.ts";
import { NOT_EMPTY, PATH } from "../../value_type.ts";
import { credentialKind } from "./kind.ts";
import { AUDIENCE, checkClient, CLIENT_KEYS, serviceReach } from "./service_keys.ts";

/** `provider = "oauth_client"`. */
export const OAUTH_CLIENT = credentialKind("A token that a client of an OAuth 2 service gets", {
  ...CLIENT_KEYS,
  ...AUDIENCE,
  client_identity_audience: key(NOT_EMPTY, {
    about: "Audience of an ID token of the Authority that is sent in place of a secret",
    otherwise: "none",
    example: "api://AzureADTokenExchange",
    applies: "live",
  }),
}, {
  reach: ({ token_url, ca_file, client_secret_file, client_key_file }) =>
    serviceReach(token_url, ca_file, client_secret_file, client_key_file),
  check(settings) {
    const { client_identity_audience, client_secret_file, client_key_file } = settings;
    const own = client_secret_file ?? client_key_file;
    if (client_identity_audience === undefined || own === undefined) return checkClient(settings);
    return { key: "client_identity_audience", state: "there is a secret or a key as well" };
  },
});

/** `provider = "oauth_refresh"`. */
export const OAUTH_REFRESH = credentialKind("A token that an OAuth 2 refresh token is good for", {
  ...CLIENT_KEYS,
  refresh_token_file: key(PATH, {
    about: "File of mode 0600 with the refresh token; a new one replaces it",
    required: true,
    example: "/home/you/.local/share/firma/credentials/refresh-token",
    applies: "live",
  }),
}, {
  reach({ token_url, ca_file, client_secret_file, client_key_file, refresh_token_file: file }) {
    // The new one is written beside it, and a lock keeps other processes from using the old one.
    const own = [file, `${file}.new`, `${file}.lock`];
    return {
      ...serviceReach(token_url, ca_file, client_secret_file, client_key_file, ...own),
      write: own,
    };
  },
  check: checkClient,
});
