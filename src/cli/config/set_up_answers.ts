/** What `firma config` goes by where nobody says anything, and what it cannot do without. */
import { dirname } from "../../core/path.ts";
import { DEFAULT_POSTURE, defaultMappings } from "../../config/scaffold.ts";
import type { Answers, Given } from "../../config/setup/answers.ts";
import type { Project } from "../../config/setup/project.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import { type Profile, profileById } from "../../sandbox/profiles.ts";

/** Whether policies are there, or lie where they are not firma's to write. */
function hasPolicies({ policyDir, files }: Project): boolean {
  return policyDir === undefined ||
    [...files.keys()].some((path) => dirname(path) === policyDir);
}

/** What holds unless somebody answers otherwise. */
export function defaultAnswers(
  project: Project,
  before: Partial<Answers>,
  flags: Partial<Answers>,
  profiles: readonly Profile[],
): Answers {
  const known = { ...before, ...flags };
  const profile = known.profile === undefined ? undefined : profileById(known.profile, profiles);
  const program = profile?.commands[0];
  return {
    mode: "agent-local",
    profile: undefined,
    agentId: undefined,
    posture: hasPolicies(project) ? undefined : DEFAULT_POSTURE,
    mappings: program ? defaultMappings([program]) : [...defaultMappings([]), "anthropic"],
    extraHosts: [],
    authorityListen: known.mode === "authority" ? "127.0.0.1:9443" : undefined,
    authorityUrl: undefined,
    authorityCaCert: undefined,
    authorityPubKey: undefined,
    authorityClientCert: undefined,
    authorityClientKey: undefined,
    ...Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)),
  };
}

const NEEDED_REMOTE = [
  ["authorityUrl", "--authority-url"],
  ["agentId", "--agent-id"],
] as const;
const NEEDED_HTTPS = [
  ["authorityPubKey", "--authority-pub-key"],
  ["authorityClientCert", "--authority-client-cert"],
  ["authorityClientKey", "--authority-client-key"],
] as const;

/** Names what an agent under an Authority elsewhere lacks. */
export function checkComplete(answers: Answers): Result<void, readonly FirmaError[]> {
  if (answers.mode !== "agent-remote") return ok(undefined);
  const isNetwork = answers.authorityUrl?.startsWith("https:") ?? false;
  const missing = [...NEEDED_REMOTE, ...(isNetwork ? NEEDED_HTTPS : [])]
    .filter(([name]) => answers[name] === undefined);
  if (missing.length === 0) return ok(undefined);
  return err(missing.map(([, flag]) => ({
    code: "ANSWER_MISSING",
    message: `Cannot set up an agent under an Authority elsewhere: ${flag} is missing`,
    cure: flag.includes("client")
      ? "firma authority issue-client-cert makes certificate and key, where the Authority is"
      : "ask whoever runs the Authority",
  })));
}

/** The answers that differ from what was there, and those of flags. */
export function givenAnswers(
  answers: Answers,
  before: Partial<Answers>,
  flags: Partial<Answers>,
): Given {
  const names = Object.keys(answers) as (keyof Answers)[];
  const differs = (name: keyof Answers) =>
    JSON.stringify(answers[name]) !== JSON.stringify(before[name]);
  const isNew = before.mode === undefined;
  return new Set(names.filter((name) => isNew || flags[name] !== undefined || differs(name)));
}
