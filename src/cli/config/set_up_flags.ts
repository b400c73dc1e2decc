/** The flags of `firma config`, and the answers that they stand for. */
import { join, relative, resolve } from "../../core/path.ts";
import { checkAuthorityUrl } from "../../config/authority_url.ts";
import { parseListenAddress } from "../../config/listen_address.ts";
import { type PackKind, readPack } from "../../config/packs.ts";
import { type Answers, type Mode, MODES } from "../../config/setup/answers.ts";
import { checkExtraHost } from "../../config/setup/extra_hosts.ts";
import { isId } from "../../core/id.ts";
import { nearest } from "../../core/nearest.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import { chooseProfile } from "../../run/profile.ts";
import { type Profile, PROFILES } from "../../sandbox/profiles.ts";

/** What was given on the command line. */
export interface SetUpFlags {
  readonly config?: string;
  readonly mode?: string;
  readonly profile?: string;
  readonly agentId?: string;
  readonly posture?: string;
  readonly mapping?: string[];
  readonly extraHosts?: string;
  readonly workspace?: string;
  readonly outputDir?: string;
  readonly stateDir?: string;
  readonly authorityListen?: string;
  readonly authorityUrl?: string;
  readonly authorityCaCert?: string;
  readonly authorityPubKey?: string;
  readonly authorityClientCert?: string;
  readonly authorityClientKey?: string;
  readonly yes?: boolean;
  readonly force?: boolean;
  readonly dryRun?: boolean;
  readonly listTemplates?: boolean;
}

/** Checks one answer; gives what it means. */
export type Check<T> = (text: string) => Result<T>;

function invalid(what: string, text: string, state: string, cure: string): Result<never> {
  return err({ code: "ANSWER_INVALID", message: `Cannot use ${what} "${text}": ${state}`, cure });
}

export const checkMode: Check<Mode> = (text) => {
  const mode = MODES.find((known) => known === text);
  if (mode !== undefined) return ok(mode);
  const close = nearest(text, MODES);
  const cure = close ? `did you mean "${close}"?` : `choose one of: ${MODES.join(", ")}`;
  return invalid("mode", text, "there is none of that name", cure);
};

/** Checks the name of one of these profiles. */
export function checkProfile(profiles: readonly Profile[]): Check<string> {
  return (text) => chooseProfile(text, [], profiles);
}

export const checkAgentId: Check<string> = (text) =>
  isId("agt", text) ? ok(text) : invalid(
    "agent id",
    text,
    "it is not of that form",
    "firma authority agents list names those of an Authority: agt_ and 26 characters",
  );

function checkPack(kind: PackKind): Check<string> {
  return (name) => {
    const pack = readPack(kind, name);
    return pack.ok ? ok(name) : pack;
  };
}

export const checkPosture: Check<string> = checkPack("posture");
export const checkMapping: Check<string> = checkPack("mapping");

/** Checks answers with commas between them. */
export function checkEach(check: Check<string>): Check<readonly string[]> {
  return (text) => {
    const checked: string[] = [];
    for (const part of text.split(",").map((part) => part.trim()).filter((part) => part !== "")) {
      const one = check(part);
      if (!one.ok) return one;
      checked.push(one.value);
    }
    return ok(checked);
  };
}

export const checkHosts: Check<readonly string[]> = checkEach(checkExtraHost);

export const checkListen: Check<string> = (text) => {
  const parsed = parseListenAddress(text);
  return parsed.ok ? ok(text) : invalid("address", text, parsed.error, "such as 127.0.0.1:9443");
};

export const checkUrl: Check<string> = (text) => {
  const checked = checkAuthorityUrl(text);
  if ("value" in checked) return ok(text);
  return invalid("address of the Authority", text, checked.state, checked.cure ?? "");
};

/** Turns a path as it is seen from the working directory into one for `firma.toml`. */
export function checkPath(directory: string): Check<string> {
  return (text) => {
    // deno-lint-ignore no-control-regex -- what no name of a file should hold
    if (text === "" || /[\x00-\x1f\x7f]/.test(text)) {
      return invalid("path", text, "it is not the name of a file", "name a file");
    }
    const path = resolve(Deno.cwd(), text);
    const inside = relative(directory, path);
    return ok(inside.startsWith("..") || inside === "" ? path : inside);
  };
}

const CHECKS: {
  readonly [K in keyof Omit<SetUpFlags, "mapping">]?: (
    directory: string,
    profiles: readonly Profile[],
  ) => Check<unknown>;
} = {
  mode: () => checkMode,
  profile: (_, profiles) => checkProfile(profiles),
  agentId: () => checkAgentId,
  posture: () => checkPosture,
  extraHosts: () => checkHosts,
  authorityListen: () => checkListen,
  authorityUrl: () => checkUrl,
  authorityCaCert: checkPath,
  authorityPubKey: checkPath,
  authorityClientCert: checkPath,
  authorityClientKey: checkPath,
};

/** The answers that flags give, for a configuration in `directory`. */
export function flagAnswers(
  flags: SetUpFlags,
  directory: string,
  profiles: readonly Profile[] = PROFILES,
): Result<Partial<Answers>, readonly FirmaError[]> {
  const answers: Record<string, unknown> = {};
  const errors: FirmaError[] = [];
  const take = (name: string, checked: Result<unknown>) => {
    if (checked.ok) answers[name] = checked.value;
    else errors.push(checked.error);
  };
  for (const [name, check] of Object.entries(CHECKS)) {
    const text = flags[name as keyof typeof CHECKS];
    if (typeof text === "string") take(name, check(directory, profiles)(text));
  }
  if (flags.mapping !== undefined) {
    take("mappings", checkEach(checkMapping)(flags.mapping.join(",")));
  }
  if (answers["authorityListen"] === undefined && flags.stateDir !== undefined) {
    answers["authorityListen"] = `unix://${
      join(resolve(Deno.cwd(), flags.stateDir), "authority.sock")
    }`;
  }
  return errors.length > 0 ? err(errors) : ok(answers as Partial<Answers>);
}
