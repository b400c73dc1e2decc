import { key } from "../../key.ts";
import { NOT_EMPTY, PATH, text } from "../../value_type.ts";
import { credentialKind } from "./kind.ts";
import { SERVICE_KEYS, serviceReach } from "./service_keys.ts";
import { SERVICE_URL } from "./service_url.ts";

const REPOSITORY = text<string>(
  "owner/repository",
  { pattern: "^[^/]+/[^/]+$" },
  (value) =>
    /^[\w-]{1,64}\/[\w.-]{1,100}$/.test(value)
      ? { value: value.toLowerCase() }
      : { state: `"${value}" is not the name of a repository, owner first` },
);

/** `provider = "github_app"`. */
export const GITHUB_APP = credentialKind(
  "A token of a GitHub App, for one repository and with what the action class needs",
  {
    ...SERVICE_KEYS,
    app_id: key(NOT_EMPTY, {
      about: "Number of the App, or its client id",
      required: true,
      example: "Iv23liAcmeAgents",
      applies: "live",
    }),
    app_key_file: key(PATH, {
      about: "File of mode 0600 with the App's private key, PEM as GitHub hands it out",
      required: true,
      example: "/home/you/.local/share/firma/credentials/github-app.pem",
      applies: "live",
    }),
    api_url: key(SERVICE_URL, {
      about: "GitHub's REST interface",
      default: "https://api.github.com",
      example: "https://github.acme.test/api/v3",
      applies: "live",
    }),
    repository: key(REPOSITORY, {
      about: "The repository whose metadata calls may read that name none",
      otherwise: "such calls get no token",
      example: "acme/web",
      applies: "live",
    }),
  },
  {
    reach: ({ api_url, ca_file, app_key_file }) => serviceReach(api_url, ca_file, app_key_file),
    ownForm: true,
  },
);
