import {
  serviceAt,
  SIGN_IN_SERVICES,
  type SignInService,
  type SignInServiceName,
  type TokenRole,
} from "../../../secrets/sign_in/services.ts";
import { key } from "../../key.ts";
import { BOOLEAN, NOT_EMPTY, PATH, text } from "../../value_type.ts";
import { credentialKind } from "./kind.ts";
import { serviceUrl } from "./service_url.ts";

const NAMES = Object.keys(SIGN_IN_SERVICES);

const SERVICE = text<string>("service or URL", { minLength: 1 }, (value) => {
  if (NAMES.includes(value)) return { value };
  if (value.startsWith("https://")) return serviceUrl(value);
  return {
    state: `"${value}" is neither a service that firma knows nor the URL of a token endpoint`,
    cure: `write one of ${NAMES.join(", ")}, or https://…`,
  };
});

const member = (what: string, usual: string) =>
  key(NOT_EMPTY, {
    about: `Member of its answers that holds the ${what}`,
    otherwise: `\`${usual}\``,
    example: `its_${usual}`,
    applies: "live",
  });

/** `provider = "sign_in"`. */
export const SIGN_IN = credentialKind("What agents' programs get when they sign in and renew", {
  sign_in_at: key(SERVICE, {
    about: `${NAMES.map((name) => `\`${name}\``).join(", ")}, or the URL of a token endpoint`,
    required: true,
    example: "https://auth.acme.test/oauth/token",
    applies: "live",
  }),
  access_member: member("access token", "access_token"),
  refresh_member: member("refresh token", "refresh_token"),
  id_member: member("ID token", "id_token"),
  sign_in_file: key(PATH, {
    about: "File of mode 0600 that keeps the tokens; replaced whenever they are renewed",
    otherwise: "none: a sign-in holds for the session that made it",
    example: "/home/you/.local/share/firma/credentials/claude.json",
    applies: "live",
  }),
  keep_new: key(BOOLEAN, {
    about: "Keep it there, too, when an agent signs in: the agent chooses the account",
    default: false,
    example: true,
    applies: "live",
  }),
}, {
  reach({ sign_in_file: file }) {
    // The new one is written beside it, and a lock keeps other Sidecars from writing another.
    const own = file === undefined ? [] : [file, `${file}.new`, `${file}.lock`];
    return { read: own, write: own };
  },
});

/** The service that a credential of this kind is of. */
export function signInServiceOf(settings: {
  readonly sign_in_at: string;
  readonly access_member: string | undefined;
  readonly refresh_member: string | undefined;
  readonly id_member: string | undefined;
}): SignInService {
  const { sign_in_at: at, access_member, refresh_member, id_member } = settings;
  const service: SignInService = Object.hasOwn(SIGN_IN_SERVICES, at)
    ? SIGN_IN_SERVICES[at as SignInServiceName]
    : serviceAt(at);
  const named = { access: access_member, refresh: refresh_member, id: id_member };
  const members = Object.entries(service.members).map(([usual, role]): [string, TokenRole] => [
    named[role] ?? usual,
    role,
  ]);
  return { ...service, members: Object.fromEntries(members) };
}
