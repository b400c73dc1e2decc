import { Command } from "commander";
import { dirname, relative, resolve } from "../../core/path.ts";
import { escapeForTerminal } from "../../core/escape.ts";
import type { FirmaError } from "../../core/result.ts";
import { cedarModule, initCedar } from "../../policy/cedar_module.ts";
import { githubAnnotation, githubError, withoutCommands } from "../../policy/fixtures/github.ts";
import type { CaseResult } from "../../policy/fixtures/judge_case.ts";
import { junitReport } from "../../policy/fixtures/junit.ts";
import { coverageLines, decisionLine, jsonReport, totals } from "../../policy/fixtures/report.ts";
import { print, printError } from "../output.ts";
import { useProjectClasses } from "../project_classes.ts";
import { bold, hasColours, red } from "../style.ts";
import { withGlobals } from "../with_globals.ts";
import { printDiagnostic } from "./diagnostics.ts";
import { type FixtureRun, runFixtures } from "./run_fixtures.ts";
import { STATUS } from "./status.ts";
import { watchPaths } from "./watch.ts";

interface Flags {
  readonly config?: string;
  readonly watch?: boolean;
  readonly junit?: string;
  readonly github?: boolean;
  readonly coverage?: boolean;
  readonly json?: boolean;
}

function caseLines(result: CaseResult, file: string, colours: boolean): string[] {
  const { name, line } = result.case;
  const passed = result.failures.length === 0;
  const head = `  ${passed ? "ok  " : "FAIL"} ${escapeForTerminal(name)}`;
  if (passed) return [head];
  const details = result.failures.map((failure) => `       ${escapeForTerminal(failure)}`);
  return [red(head, colours), ...details, `       at ${escapeForTerminal(`${file}:${line}`)}`];
}

function runLines({ ran, single }: FixtureRun): string[] {
  const colours = hasColours(Deno.stdout);
  const [only] = ran;
  const lines = ran.flatMap(({ file, results }) => [
    bold(escapeForTerminal(file), colours),
    ...results.flatMap((result) => caseLines(result, file, colours)),
  ]);
  if (!single) return lines;
  // One fixture alone answers with its decision, for scripts.
  const [result] = only?.results ?? [];
  if (result === undefined) return [];
  const answer = escapeForTerminal(decisionLine(result));
  return [answer, ...(result.failures.length > 0 ? caseLines(result, only!.file, colours) : [])];
}

function write(text: string, flags: Flags): void {
  print(flags.github ? withoutCommands(text) : text);
}

/** Annotations name files from the root of the repository. */
function inRepository(file: string): string {
  const root = Deno.env.get("GITHUB_WORKSPACE");
  return root ? relative(root, resolve(file)) : file;
}

function atInRepository(error: FirmaError): FirmaError {
  if (error.at === undefined) return error;
  return { ...error, at: { ...error.at, file: inRepository(error.at.file) } };
}

function writeJunit(path: string, run: FixtureRun): FirmaError | undefined {
  try {
    Deno.mkdirSync(dirname(path), { recursive: true });
    Deno.writeTextFileSync(path, junitReport(run.ran));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return { code: "JUNIT", message: `Cannot write the report "${path}": ${reason}`, cause };
  }
}

/** Says what came of a run; returns the exit status that stands for it. */
function report(run: FixtureRun, flags: Flags): number {
  const { passed, failed } = totals(run.ran);
  for (const { error, source } of run.faults) {
    printDiagnostic(error, "error", source, flags.github ? withoutCommands : undefined);
    if (flags.github) print(`${githubError(atInRepository(error))}\n`);
  }
  if (flags.github) {
    for (const { file, results } of run.ran) {
      const wrong = results.filter(({ failures }) => failures.length > 0);
      for (const result of wrong) print(`${githubAnnotation(inRepository(file), result)}\n`);
    }
  }
  const unwritten = flags.junit === undefined ? undefined : writeJunit(flags.junit, run);
  if (unwritten !== undefined) printError(unwritten);
  const covered = flags.coverage ? run.coverage : undefined;
  if (flags.json) {
    write(`${JSON.stringify(jsonReport(run.ran, covered))}\n`, flags);
  } else {
    const lines = runLines(run);
    for (const each of covered ?? []) lines.push("", ...coverageLines(each).map(escapeForTerminal));
    if (!run.single) lines.push("", `${passed} passed, ${failed} failed`);
    if (passed + failed > 0) write(`${lines.join("\n").trimStart()}\n`, flags);
  }
  if (run.faults.length > 0 || unwritten !== undefined) return STATUS.badInput;
  return failed > 0 ? STATUS.failed : STATUS.ok;
}

async function watch(paths: readonly string[], flags: Flags): Promise<number> {
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  Deno.addSignalListener("SIGINT", onSignal);
  Deno.addSignalListener("SIGTERM", onSignal);
  while (!stop.signal.aborted) {
    // The watch begins before the files are read, so that no edit falls between.
    const changed = watchPaths(paths, stop.signal);
    report(await runFixtures(paths, (path) => changed.add([path])), flags);
    if (!flags.json) write("\nwaiting for changes; Ctrl-C ends\n", flags);
    await changed.next();
  }
  Deno.removeSignalListener("SIGINT", onSignal);
  Deno.removeSignalListener("SIGTERM", onSignal);
  return STATUS.ok;
}

async function test(paths: readonly string[], flags: Flags): Promise<number> {
  const classes = useProjectClasses(flags.config);
  if (!classes.ok) {
    classes.error.forEach(printError);
    return STATUS.badInput;
  }
  initCedar(await cedarModule());
  if (flags.watch) return await watch(paths, flags);
  return report(await runFixtures(paths), flags);
}

const HELP = `
Of a directory, every .toml file below it with a [fixture] or [[cases]] table is run. Exit status:
0 every case came out as expected, 1 one did not, 2 a fixture or its policies cannot be used.

Examples:
  firma policy test .firma/policies/fixture.toml
  firma policy test fixtures --coverage
  firma policy test fixtures --github --junit report.xml
`;

/** `firma policy test FIXTURE|DIR...` */
export function testCommand(): Command {
  return new Command("test")
    .description("Run fixtures: calls, and what your policies must say to them.")
    .argument("<fixture...>", "fixture files, or directories of them")
    .option("-c, --config <path>", "configuration whose action classes count")
    .option("--watch", "run again whenever a fixture, policy or mapping changes")
    .option("--junit <file>", "write the results as JUnit XML, too")
    .option("--github", "print failures as annotations of GitHub Actions, too")
    .option("--coverage", "list the policies and action classes that no case touched")
    .option("--json", "print the results as a JSON object")
    .addHelpText("after", HELP)
    .action(async (paths: string[], _flags: Flags, command: Command) => {
      Deno.exitCode = await test(paths, withGlobals<Flags>(command));
    });
}
