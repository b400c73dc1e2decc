import { key } from "../../key.ts";
import { list, NOT_EMPTY, oneOf, PATH } from "../../value_type.ts";
import { SERVICE_URL, serviceAddress } from "./service_url.ts";
import type { Disagreement, SourceReach } from "./kind.ts";

/** Keys of all kinds that ask a service over the network. */
export const SERVICE_KEYS = {
  ca_file: key(PATH, {
    about: "Certificates that the service's may verify under as well, PEM",
    otherwise: "none",
    example: "/etc/ssl/acme.pem",
    applies: "live",
  }),
};

/** Keys of all kinds that ask the token endpoint of an OAuth 2 service. */
export const TOKEN_KEYS = {
  ...SERVICE_KEYS,
  token_url: key(SERVICE_URL, {
    about: "The service's token endpoint",
    required: true,
    example: "https://auth.acme.test/oauth/token",
    applies: "live",
  }),
  scopes: key(list(NOT_EMPTY, "list of scopes"), {
    about: "Scopes to ask for; `[]`: what the service gives by itself",
    default: [],
    example: ["repo:read"],
    applies: "live",
  }),
};

/** What a token is for. */
export const AUDIENCE = {
  audience: key(NOT_EMPTY, {
    about: "What the token is for, where the service wants to be told",
    otherwise: "none",
    example: "https://api.acme.test",
    applies: "live",
  }),
};

/** Keys of all kinds that are a client of an OAuth 2 service. */
export const CLIENT_KEYS = {
  ...TOKEN_KEYS,
  client_id: key(NOT_EMPTY, {
    about: "What the service knows the client by",
    required: true,
    example: "firma-agents",
    applies: "live",
  }),
  client_secret_file: key(PATH, {
    about: "File of mode 0600 that holds the client's secret",
    otherwise: "none",
    example: "/home/you/.local/share/firma/credentials/client-secret",
    applies: "live",
  }),
  client_secret_in: key(oneOf(["header", "form"]), {
    about: "How it is sent: as a password (Basic), or in the form",
    default: "header",
    example: "form",
    applies: "live",
  }),
  client_key_file: key(PATH, {
    about: "Private key of the client, PEM, mode 0600, in place of a secret",
    otherwise: "none",
    example: "/home/you/.local/share/firma/credentials/client-key.pem",
    applies: "live",
  }),
  client_key_id: key(NOT_EMPTY, {
    about: "What the service knows that key by (`kid`)",
    otherwise: "none",
    example: "2026-11",
    applies: "live",
  }),
};

/** Whether a client has one proof of itself at most. */
export function checkClient(
  { client_secret_file: secret, client_key_file: key }: {
    readonly client_secret_file: string | undefined;
    readonly client_key_file: string | undefined;
  },
): Disagreement | undefined {
  if (secret === undefined || key === undefined) return undefined;
  return { key: "client_key_file", state: "there is a client_secret_file as well" };
}

/** What reaching a service takes: its address, and the files that are there. */
export function serviceReach(
  url: string,
  ...files: readonly (string | undefined)[]
): Pick<Required<SourceReach>, "net" | "read"> {
  return { net: [serviceAddress(url)], read: files.filter((file) => file !== undefined) };
}
