/** Asks at a terminal for what no flag said. */
import { packNames } from "../../config/packs.ts";
import { type Answers, MODES } from "../../config/setup/answers.ts";
import { escapeForTerminal } from "../../core/escape.ts";
import type { Profile } from "../../sandbox/profiles.ts";
import { readLine } from "../confirm.ts";
import { printError, printToStderr } from "../output.ts";
import {
  type Check,
  checkAgentId,
  checkEach,
  checkHosts,
  checkListen,
  checkMapping,
  checkMode,
  checkPath,
  checkPosture,
  checkProfile,
  checkUrl,
} from "./set_up_flags.ts";

/** Nobody is there any more to answer. */
export class EndOfAnswers extends Error {}

interface Question<T> {
  readonly text: string;
  /** What can be answered. */
  readonly choices?: readonly string[];
  /** What an empty answer means. */
  readonly fallback: string;
  readonly check: Check<T>;
}

/** Asks until the answer can be used; an empty one takes the default. */
function ask<T>({ text, choices, fallback, check }: Question<T>): T {
  if (choices) printToStderr(`  ${choices.join(", ")}\n`);
  for (;;) {
    const shown = fallback === "" ? "" : ` [${escapeForTerminal(fallback)}]`;
    printToStderr(`${text}${shown}: `);
    const answer = readLine();
    if (answer === undefined) {
      printToStderr("\n");
      throw new EndOfAnswers();
    }
    const checked = check(answer === "" ? fallback : answer);
    if (checked.ok) return checked.value;
    printError(checked.error);
  }
}

/** A check that takes an empty answer for none. */
function optional<T>(check: Check<T>): Check<T | undefined> {
  return (text) => text === "" ? { ok: true, value: undefined } : check(text);
}

/**
 * Asks for everything that `given` does not hold, with the answers so far as
 * defaults. Throws {@linkcode EndOfAnswers} at the end of input.
 */
export function askForAnswers(
  answers: Answers,
  given: Partial<Answers>,
  directory: string,
  profiles: readonly Profile[],
): Answers {
  const all: { -readonly [K in keyof Answers]: Answers[K] } = { ...answers };
  const wanted = (name: keyof Answers) => given[name] === undefined;
  if (wanted("mode")) {
    all.mode = ask({
      text: "What is it for",
      choices: MODES,
      fallback: answers.mode,
      check: checkMode,
    });
  }
  if (all.mode !== "authority" && wanted("profile")) {
    all.profile = ask({
      text: "Profile of the sandbox; empty: by the command",
      choices: profiles.map(({ id }) => id),
      fallback: answers.profile ?? "",
      check: optional(checkProfile(profiles)),
    });
  }
  if (all.mode === "agent-remote") askForAuthority(all, wanted, directory);
  if (all.mode === "authority" && wanted("authorityListen")) {
    all.authorityListen = ask({
      text: "Where it listens: host:port or unix:///path",
      fallback: answers.authorityListen ?? "",
      check: checkListen,
    });
  }
  if (all.mode !== "agent-remote" && wanted("posture")) {
    all.posture = ask({
      text: "Posture: what is permitted by default",
      choices: packNames("posture"),
      fallback: answers.posture ?? "",
      check: optional(checkPosture),
    });
  }
  if (wanted("mappings")) {
    all.mappings = ask({
      text: "Services it may use, with commas between them",
      choices: packNames("mapping"),
      fallback: answers.mappings.join(", "),
      check: checkEach(checkMapping),
    });
  }
  if (wanted("extraHosts")) {
    all.extraHosts = ask({
      text: "Further hosts it may talk to; empty: none",
      fallback: "",
      check: checkHosts,
    });
  }
  return all;
}

function askForAuthority(
  all: { -readonly [K in keyof Answers]: Answers[K] },
  wanted: (name: keyof Answers) => boolean,
  directory: string,
): void {
  const path = checkPath(directory);
  if (wanted("authorityUrl")) {
    all.authorityUrl = ask({
      text: "Address of the Authority: https://host:port or unix:///path",
      fallback: all.authorityUrl ?? "",
      check: checkUrl,
    });
  }
  const isNetwork = all.authorityUrl?.startsWith("https:");
  const files = [
    ["authorityPubKey", "Its public key, a file"],
    ["authorityCaCert", "The roots of its certificate, a PEM file; empty: the system's"],
    ["authorityClientCert", "The certificate of this Sidecar, a PEM file"],
    ["authorityClientKey", "The key of that certificate, a PEM file"],
  ] as const;
  for (const [name, text] of files) {
    if (!wanted(name) || !isNetwork) continue;
    const isOptional = name === "authorityCaCert";
    // What is written there already is relative to the file that it is written in.
    const fallback = all[name] ?? "";
    const check: Check<string | undefined> = (answer) =>
      answer === fallback && (answer !== "" || isOptional)
        ? { ok: true, value: answer || undefined }
        : path(answer);
    all[name] = ask({ text, fallback, check });
  }
  if (wanted("agentId")) {
    all.agentId = ask({
      text: "Id of the agent, as registered there",
      fallback: all.agentId ?? "",
      check: checkAgentId,
    });
  }
}
