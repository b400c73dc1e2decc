import { key } from "../../key.ts";
import { DURATION, NOT_EMPTY, PATH, text, type ValueType } from "../../value_type.ts";
import { credentialKind, type Disagreement } from "./kind.ts";
import { SERVICE_KEYS, serviceReach } from "./service_keys.ts";
import { SERVICE_URL } from "./service_url.ts";

const ROLE_ARN = text<string>(
  "ARN of a role",
  { pattern: "^arn:aws" },
  (value) =>
    /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,576}$/.test(value)
      ? { value }
      : { state: `"${value}" is not the ARN of a role` },
);

/** Regions and services, as scopes of signatures name them. */
const SCOPE_WORD: ValueType<string> = text<string>(
  "name",
  { pattern: "^[a-z0-9-]{1,64}$" },
  (value) =>
    /^[a-z0-9-]{1,64}$/.test(value)
      ? { value }
      : { state: `"${value}" is not letters, digits and hyphens` },
);

const SESSION_POLICY = text<string>("policy in JSON", { minLength: 2 }, (value) => {
  try {
    const policy: unknown = JSON.parse(value);
    if (typeof policy === "object" && policy !== null && value.length <= 2048) return { value };
  } catch { /* said below */ }
  return { state: "it is not a policy in JSON of up to 2048 characters" };
});

/** STS grants sessions of 15 minutes to 12 hours. */
const SHORTEST_MS = 900_000;
const LONGEST_MS = 43_200_000;

/** Keys of all kinds that take a role. */
export const AWS_KEYS = {
  ...SERVICE_KEYS,
  role_arn: key(ROLE_ARN, {
    about: "The role",
    required: true,
    example: "arn:aws:iam::123456789012:role/agents",
    applies: "live",
  }),
  sts_url: key(SERVICE_URL, {
    about: "The security token service",
    default: "https://sts.us-east-1.amazonaws.com",
    example: "https://sts.eu-central-1.amazonaws.com",
    applies: "live",
  }),
  session_policy: key(SESSION_POLICY, {
    about: "A policy in JSON: what the keys may do at most, within what the role may",
    otherwise: "all that the role may",
    example: '{"Version":"2012-10-17","Statement":[]}',
    applies: "live",
  }),
  session_duration: key(DURATION, {
    about: "How long the keys live, 15 minutes at least",
    default: "15m",
    example: "1h",
    applies: "live",
  }),
  aws_region: key(SCOPE_WORD, {
    about: "Region of calls that the agent does not sign",
    otherwise: "such calls fail",
    example: "eu-central-1",
    applies: "live",
  }),
  aws_service: key(SCOPE_WORD, {
    about: "Service of calls that the agent does not sign",
    otherwise: "such calls fail",
    example: "s3",
    applies: "live",
  }),
};

/** Whether STS would grant a session of that length. */
export function checkDuration(
  { session_duration: duration }: { readonly session_duration: number },
): Disagreement | undefined {
  if (duration >= SHORTEST_MS && duration <= LONGEST_MS) return undefined;
  return { key: "session_duration", state: "it is not between 15 minutes and 12 hours" };
}

/** `provider = "aws_role"`. */
export const AWS_ROLE = credentialKind("Keys of an AWS role, which calls are signed with", {
  ...AWS_KEYS,
  aws_keys_file: key(PATH, {
    about: "File of mode 0600 with keys that may take the role, as `~/.aws/credentials`",
    required: true,
    example: "/home/you/.local/share/firma/credentials/aws",
    applies: "live",
  }),
  aws_profile: key(NOT_EMPTY, {
    about: "The profile in that file",
    default: "default",
    example: "agents",
    applies: "live",
  }),
  sts_region: key(SCOPE_WORD, {
    about: "Region of that service",
    default: "us-east-1",
    example: "eu-central-1",
    applies: "live",
  }),
}, {
  reach: ({ sts_url, ca_file, aws_keys_file }) => serviceReach(sts_url, ca_file, aws_keys_file),
  check: checkDuration,
  signs: true,
});
