import { Argument, Command } from "commander";
import { selfCommand } from "../config/self_command.ts";
import { play } from "../demo/play.ts";
import { decisionLines, type Emphasis, epilogue, prologue, turnLines } from "../demo/narrate.ts";
import type { Scenario } from "../demo/scenario.ts";
import { SCENARIOS } from "../demo/scenarios.ts";
import { makeStageDirectory, removeStageDirectory } from "../demo/stage.ts";
import { listLines, nextLine } from "./demo_menu.ts";
import { print, printError } from "./output.ts";
import { bold, green, hasColours, red } from "./style.ts";

interface Flags {
  readonly all?: boolean;
  readonly json?: boolean;
}

const NOT_AS_EXPECTED = 1;
const USAGE_ERROR = 2;
/** What a shell reports of a program that Ctrl-C ended. */
const SIGINT_STATUS = 130;

function emphasis(): Emphasis {
  const colours = hasColours(Deno.stdout);
  return {
    heading: (text) => bold(text, colours),
    good: (text) => green(text, colours),
    bad: (text) => red(text, colours),
  };
}

function printLines(lines: readonly string[]): void {
  print(`${lines.join("\n")}\n`);
}

/** How to show a demo: with a key for every step, all at once, or to a program. */
type Manner = "steps" | "text" | "json";

async function perform(scenario: Scenario, manner: Manner, signal: AbortSignal): Promise<number> {
  const emphases = emphasis();
  const tell = (lines: readonly string[]) => manner !== "json" && printLines(lines);
  tell(prologue(scenario, emphases));
  const directory = makeStageDirectory();
  try {
    const report = await play(scenario, {
      env: Deno.env.toObject(),
      self: selfCommand(),
      directory,
      signal,
      audience: {
        async turn(turn, number) {
          tell(turnLines(turn, number, emphases));
          if (manner === "steps") await nextLine("  (Enter: go on) ", signal);
        },
        decided: (decisions) =>
          decisions.forEach((decision) => tell(decisionLines(decision, emphases))),
      },
    });
    if (!report.ok) {
      if (!signal.aborted) printError(report.error);
      return signal.aborted ? SIGINT_STATUS : NOT_AS_EXPECTED;
    }
    if (manner === "json") printLines([JSON.stringify(report.value)]);
    tell(epilogue(scenario, report.value, emphases));
    return report.value.problems.length === 0 ? 0 : NOT_AS_EXPECTED;
  } finally {
    await removeStageDirectory(directory);
  }
}

/** Lets somebody at a terminal choose, again and again. */
async function chooseAndPerform(signal: AbortSignal): Promise<number> {
  for (;;) {
    printLines(listLines(SCENARIOS, emphasis().heading));
    const answer = await nextLine(`Which one? [1-${SCENARIOS.length}, q] `, signal);
    if (signal.aborted) return SIGINT_STATUS;
    if (answer === undefined || /^q(uit)?$/i.test(answer)) return 0;
    const chosen = SCENARIOS.find(({ name }, index) =>
      answer === String(index + 1) || answer === name
    );
    if (chosen === undefined) continue;
    const code = await perform(chosen, "steps", signal);
    if (code !== 0) return code;
  }
}

async function act(name: string | undefined, flags: Flags, signal: AbortSignal): Promise<number> {
  const wanted = flags.all ? SCENARIOS : SCENARIOS.filter((scenario) => scenario.name === name);
  if (flags.all && name !== undefined) {
    printError({
      code: "DEMO_FLAGS",
      message: `Cannot play demo "${name}" and all of them: --all means every demo`,
      cure: "leave one of the two out",
    });
    return USAGE_ERROR;
  }
  if (wanted.length === 0) {
    if (!flags.json && Deno.stdin.isTerminal() && Deno.stdout.isTerminal()) {
      return await chooseAndPerform(signal);
    }
    if (flags.json) {
      printLines(SCENARIOS.map(({ name, summary }) => JSON.stringify({ demo: name, summary })));
    } else printLines(listLines(SCENARIOS, (text) => text));
    return 0;
  }
  let worst = 0;
  for (const scenario of wanted) {
    if (signal.aborted) return SIGINT_STATUS;
    worst = Math.max(worst, await perform(scenario, flags.json ? "json" : "text", signal));
  }
  return worst;
}

/** Runs `action` with a signal that ends it when somebody wants firma to end. */
async function untilInterrupted(action: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const controller = new AbortController();
  const abort = () => controller.abort();
  const signals: Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  signals.forEach((signal) => Deno.addSignalListener(signal, abort));
  try {
    return await action(controller.signal);
  } finally {
    signals.forEach((signal) => Deno.removeSignalListener(signal, abort));
  }
}

const HELP = `
A small agent runs under "firma run", with a real sandbox, Sidecar and audit log. Its model and the
services that it calls are stand-ins on this machine, so that no key is needed and nothing leaves.
Everything lies in a directory of its own, which is removed at the end.

On a terminal, without a name, you choose a demo and go through it step by step. Exit status: 0
every demo went as it should, 1 one did not, 130 interrupted.

Examples:
  firma demo
  firma demo exfiltrate
  firma demo --all --json | jq '.steps[].decisions[].decision'
`;

/** `firma demo [name]` */
export function command(): Command {
  return new Command("demo")
    .description("See what becomes of an agent that goes wrong, without a key or an account.")
    .addArgument(
      new Argument("[name]", "which demo").choices(SCENARIOS.map(({ name }) => name)),
    )
    .option("--all", "play every demo, one after the other")
    .option("--json", "print what happened as a JSON object for each demo")
    .addHelpText("after", HELP)
    .action(async (name: string | undefined, flags: Flags) => {
      Deno.exitCode = await untilInterrupted((signal) => act(name, flags, signal));
    });
}
