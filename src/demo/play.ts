import { Buffer } from "node:buffer";
import { readPolicyFiles, versionOf } from "../authority/policy_files.ts";
import { auditFile, type Environment } from "../config/paths.ts";
import { err, ok, type Result } from "../core/result.ts";
import { join } from "../core/path.ts";
import type { PolicyTexts } from "../monitor/explain/policy_texts.ts";
import {
  type Finale,
  type Report,
  type ShownDecision,
  shownDecision,
  type Step,
} from "./report.ts";
import type { Scenario, Turn } from "./scenario.ts";
import { runFirma, type Words } from "./run_firma.ts";
import { setStage, type Stage } from "./stage.ts";
import { modelError, modelMessage, readModelRequest } from "./stand_in_model.ts";
import { type Handler, type Received, startStandIns } from "./stand_in_servers.ts";
import { summed } from "./summed.ts";
import { isCallTo, isWorthShowing, Trail } from "./trail.ts";

/** Who watches a demo. */
export interface Audience {
  /** The agent is about to take this turn; it does so when the promise resolves. */
  turn(turn: Turn, number: number): Promise<void>;
  /** What became of the turn before. */
  decided(decisions: readonly ShownDecision[]): void;
}

/** What a demo plays with. */
export interface PlayOptions {
  readonly env: Environment;
  /** The words that start firma. */
  readonly self: Words;
  /** An empty directory of this user's alone. */
  readonly directory: string;
  readonly audience: Audience;
  /** Ends the demo before its time, with everything that it started. */
  readonly signal: AbortSignal;
}

const MODEL = "api.anthropic.com";

/** Every decision is recorded before its call leaves; a busy disk may still take its time. */
const RECORD_PATIENCE_MS = 30_000;

/** How many characters of what a service was sent are shown. */
const MOST_SHOWN = 100;

/** One demo while it plays: the model's side of it, and what was seen so far. */
class Play {
  readonly steps: Step[] = [];
  readonly problems: string[] = [];
  readonly #scenario: Scenario;
  readonly #trail: Trail;
  readonly #audience: Audience;
  #texts: PolicyTexts = { version: "", files: [], directory: "" };
  /** Events of the trail that belong to turns that are over. */
  #told = 0;

  constructor(scenario: Scenario, trail: Trail, audience: Audience) {
    this.#scenario = scenario;
    this.#trail = trail;
    this.#audience = audience;
  }

  async readPolicies(directory: string): Promise<void> {
    const read = await readPolicyFiles(directory);
    const files = read.kind === "files" ? read.files : [];
    this.#texts = { version: versionOf(files), files, directory: "policies" };
  }

  /** The stand-in model: has the next turn begin, and says what it is. */
  readonly model: Handler = async (_request, body) => {
    const asked = readModelRequest(body);
    const turn = this.#scenario.turns[asked?.turn ?? -1];
    if (asked === undefined || turn === undefined) return modelError("no such turn");
    if (asked.turn === this.steps.length) {
      await this.#trail.lookUntil(
        (events) => events.filter((event) => isCallTo(event, MODEL)).length > asked.turn,
        RECORD_PATIENCE_MS,
      );
      this.endTurn();
      if (turn.after !== undefined && !asked.lastResult.includes(turn.after)) {
        this.problems.push(`The agent did not read ${JSON.stringify(turn.after)}`);
        return modelError("nothing to go by");
      }
      this.steps.push({
        explain: turn.explain,
        says: turn.says,
        command: turn.command ?? "",
        decisions: [],
      });
      await this.#audience.turn(turn, asked.turn + 1);
    }
    return Response.json(modelMessage(turn, asked.turn + 1));
  };

  /** Takes what was recorded since for what became of the last turn. */
  endTurn(): void {
    this.#trail.look();
    const { events } = this.#trail;
    const decisions = summed(
      events.slice(this.#told)
        .filter((event) => isWorthShowing(event, MODEL))
        .map((event) => shownDecision(event, this.#texts)),
    );
    this.#told = events.length;
    const step = this.steps.at(-1);
    if (step === undefined) return;
    this.steps[this.steps.length - 1] = { ...step, decisions };
    this.#judge(this.#scenario.turns[this.steps.length - 1]?.expected, decisions);
    if (decisions.length > 0) this.#audience.decided(decisions);
  }

  #judge(expected: string | undefined, decisions: readonly ShownDecision[]): void {
    if (expected === undefined) return;
    const last = decisions.at(-1)?.decision ?? "nothing";
    if (last === expected) return;
    this.problems.push(`Turn ${this.steps.length} met ${last} instead of ${expected}`);
  }
}

/** Whether the secret of a demo, or what is in a file with it, was in what a service was sent. */
function leaked({ secret, files }: Scenario, received: readonly Received[]): boolean {
  if (secret === undefined) return false;
  const spelt = Object.values(files).filter((text) => text.includes(secret))
    .map((text) => Buffer.from(text).toString("base64"));
  return received.some(({ body, target }) =>
    [secret, ...spelt].some((text) => body.includes(text) || target.includes(text))
  );
}

async function verify(stage: Stage, options: PlayOptions): Promise<Report["log"]> {
  const { stdout } = await runFirma(["audit", "verify", auditFile(stage.env), "--json"], {
    ...options,
    stage,
  });
  try {
    const { whole, lines } = JSON.parse(stdout);
    return { whole: whole === true, lines: Number(lines) };
  } catch {
    return { whole: false, lines: 0 };
  }
}

/** Has the operator do what is left to do, and finds out whether all files are there again. */
async function playFinale(
  { finale, files }: Scenario,
  stage: Stage,
  options: PlayOptions,
  problems: string[],
): Promise<{ readonly finale?: Finale }> {
  if (finale === undefined) return {};
  const { stdout, stderr } = await runFirma(finale.command, { ...options, stage });
  for (const [path, text] of Object.entries(files)) {
    const now = await Deno.readTextFile(join(stage.workspace, path)).catch(() => undefined);
    if (now !== text) problems.push(`"${path}" did not come back: ${stderr.trim()}`);
  }
  const printed = (stdout + stderr).split("\n").filter((line) => line.trim() !== "");
  return {
    finale: { explain: finale.explain, command: `firma ${finale.command.join(" ")}`, printed },
  };
}

/**
 * Plays a demo: starts services and a model that stand in for real ones on this machine, puts the
 * agent under `firma run`, and reads from its audit log what became of everything. Fails when the
 * agent could not be started; a demo that did not go as it should says so in its report.
 */
export async function play(scenario: Scenario, options: PlayOptions): Promise<Result<Report>> {
  const trail = new Trail(auditFile({ XDG_DATA_HOME: join(options.directory, "data") }));
  const playing = new Play(scenario, trail, options.audience);
  const handlers = new Map<string, Handler>([
    [MODEL, playing.model],
    ...Object.entries(scenario.services),
  ]);
  await using servers = await startStandIns(handlers);
  const stage = setStage(scenario, servers, options.env, options.directory);
  await playing.readPolicies(join(stage.workspace, ".firma/policies"));
  const run = await runFirma(
    ["run", "--trust", "--yes", "--", "sh", "agent.sh", scenario.task],
    { ...options, stage },
  );
  if (options.signal.aborted) {
    return err({ code: "DEMO_INTERRUPTED", message: `Demo "${scenario.name}" was interrupted` });
  }
  if (playing.steps.length === 0) {
    return err({
      code: "DEMO_NOT_STARTED",
      message: `Cannot play demo "${scenario.name}": the agent did not start: ` +
        (run.stderr.trim() || `status ${run.code}`),
      cure: "the agents of the demos need sh, sed and curl; firma doctor looks at the rest",
    });
  }
  await trail.lookUntil(
    (events) => events.some((event) => event.kind === "session" && event.phase === "ended"),
    RECORD_PATIENCE_MS,
  );
  playing.endTurn();
  const { steps, problems } = playing;
  if (steps.length < scenario.turns.length || run.code !== 0) {
    problems.push(`The agent ended early, with status ${run.code}: ${run.stderr.trim()}`);
  }
  if (leaked(scenario, servers.received)) problems.push("The secret reached a service");
  const ending = await playFinale(scenario, stage, options, problems);
  const log = await verify(stage, options);
  if (!log.whole) problems.push("The audit log is not whole");
  const services = servers.received.filter(({ host }) => host !== MODEL);
  return ok({
    demo: scenario.name,
    steps,
    reached: services.map(({ method, host, target, body }) =>
      `${method} ${host}${target} ${body.slice(0, MOST_SHOWN)}`.trimEnd()
    ),
    model_calls: servers.received.length - services.length,
    ...ending,
    log,
    problems,
  });
}
