/**
 * The way from the command line to a command. Helper processes of firma itself
 * come through here too and must not pay for what only people need, so that
 * everything is imported when it is used.
 */
import type { Command } from "commander";
import { parseRunLine, type RunLine } from "./run_flags.ts";

/** A command as the list of commands shows it. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  /** Absent while the command is not built. */
  readonly load?: () => Promise<{ command(): Command }>;
}

/** All commands, in the order of `--help`. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "run",
    summary: "run a command under enforcement",
    load: () => import("./run.ts"),
  },
  {
    name: "monitor",
    summary: "show decisions as they are made",
    load: () => import("./monitor.ts"),
  },
  {
    name: "audit",
    summary: "verify the audit log",
    load: () => import("./audit.ts"),
  },
  {
    name: "policy",
    summary: "see, check, test and explain policies",
    load: () => import("./policy.ts"),
  },
  {
    name: "trust",
    summary: "trust a configuration that firma did not write",
    load: () => import("./trust.ts"),
  },
  {
    name: "version",
    summary: "print the version",
    load: () => import("./version.ts"),
  },
  {
    name: "config",
    summary: "write, change, see and check a configuration",
    load: () => import("./config.ts"),
  },
  {
    name: "sidecar",
    summary: "run a Sidecar for many agents",
    load: () => import("./sidecar.ts"),
  },
  {
    name: "authority",
    summary: "run an Authority for many Sidecars",
    load: () => import("./authority.ts"),
  },
  {
    name: "credentials",
    summary: "give calls credentials that agents never hold",
    load: () => import("./credentials.ts"),
  },
  {
    name: "token",
    summary: "approve, deny or revoke what an agent asked for",
    load: () => import("./token.ts"),
  },
  {
    name: "restore",
    summary: "bring back what an agent deleted or overwrote",
    load: () => import("./restore.ts"),
  },
  {
    name: "doctor",
    summary: "find out why something does not work",
    load: () => import("./doctor.ts"),
  },
  {
    name: "demo",
    summary: "see what becomes of an agent that goes wrong",
    load: () => import("./demo.ts"),
  },
  {
    name: "completions",
    summary: "complete command lines in bash, zsh and fish",
    load: () => import("./completions.ts"),
  },
  {
    name: "licenses",
    summary: "print the licenses of firma and of what is in it",
    load: () => import("./licenses.ts"),
  },
];

/** What a shell reports of a program whose reader went away: 128 + SIGPIPE. */
const SIGPIPE_STATUS = 141;

/** Processes that firma starts for itself. */
const HELPERS: Readonly<
  Record<string, () => Promise<{ main(args: string[]): Promise<number> }>>
> = {
  __init: () => import("../sandbox/init/main.ts"),
  __sidecar: () => import("../sidecar/main.ts"),
  __authority: () => import("../daemon/authority_main.ts"),
  __broker: () => import("../broker/main.ts"),
  __supervise: () => import("../daemon/supervise_main.ts"),
  __complete: () => import("./completion/main.ts"),
  __preflight: () => import("../sandbox/preflight/main.ts"),
};

/**
 * A run on a plain command line: its sandbox, and unless one runs that it will join its Sidecar, load
 * while the rest of firma does.
 */
async function runAtOnce(line: RunLine): Promise<number> {
  const { beginEarly } = await import("./early_start.ts");
  const early = beginEarly(line.flags);
  const { runLine } = await import("./run_action.ts");
  return await runLine(line, early);
}

async function printAlone(text: string): Promise<number> {
  const { print } = await import("./output.ts");
  print(text);
  return 0;
}

/** Runs firma with the arguments it was started with and returns the exit status. */
export async function main(args: string[]): Promise<number> {
  const helper = Object.hasOwn(HELPERS, args[0] ?? "") ? HELPERS[args[0]!] : undefined;
  try {
    if (helper) return await (await helper()).main(args.slice(1));
    if (args.length <= 2 && /^(--version|version|--help|-h|help)$/.test(args[0] ?? "")) {
      const { quickAnswer } = await import("./quick_answer.ts");
      const answer = quickAnswer(args, COMMANDS);
      if (answer !== undefined) return await printAlone(answer);
    }
    const line = args[0] === "run" ? parseRunLine(args.slice(1)) : undefined;
    if (line) return await runAtOnce(line);
    const { runProgram } = await import("./program.ts");
    return await runProgram(args, COMMANDS);
  } catch (thrown) {
    if (thrown instanceof Deno.errors.BrokenPipe) return SIGPIPE_STATUS;
    const { printThrown } = await import("./output.ts");
    printThrown(thrown);
    return 1;
  }
}
