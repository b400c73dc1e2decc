import type { LossReport } from "../restore/messages.ts";
import type { ConfinedProcess } from "../sandbox/launch.ts";
import type { LossQuestion, LossVerdict } from "../sidecar/losses/question.ts";
import { shownPath } from "../restore/loss_findings.ts";
import type { RunInterface } from "./options.ts";
import type { SessionHost } from "./session_host.ts";

/** What guarding an agent against its own deletions needs. */
export interface LossGuardOptions {
  readonly sessionId: string;
  readonly host: Pick<SessionHost, "weigh">;
  readonly agent: Pick<ConfinedProcess, "suspend" | "resume" | "kill">;
  readonly ui: Pick<RunInterface, "tell">;
  /** What is lost at this moment. */
  readonly look: () => Promise<LossReport | undefined>;
}

/** After how long a question that nobody could answer is asked again, in milliseconds. */
const AGAIN_MS = 500;

/**
 * Has policies decide what becomes of an agent whose workspace loses files. Where they want a person,
 * the agent stands still until that person has decided; where they forbid it, it ends.
 */
export class LossGuard {
  readonly #options: LossGuardOptions;
  #last: LossReport | undefined;
  #isBusy = false;
  #isOver = false;

  constructor(options: LossGuardOptions) {
    this.#options = options;
  }

  /** Takes the next report; while one is weighed, the last of those that come meanwhile counts. */
  add(report: LossReport): void {
    this.#last = report;
    if (this.#isBusy || this.#isOver) return;
    this.#isBusy = true;
    this.#weighAll().finally(() => this.#isBusy = false);
  }

  /** The agent has ended, and nothing is to be decided any more. */
  end(): void {
    this.#isOver = true;
  }

  async #weighAll(): Promise<void> {
    for (let report = this.#take(); report !== undefined; report = this.#take()) {
      const verdict = await this.#weigh(report, "look");
      if (verdict.kind === "ask") await this.#hold(report);
      else if (verdict.kind === "end") this.#end(verdict.detail);
    }
  }

  #take(): LossReport | undefined {
    const report = this.#isOver ? undefined : this.#last;
    this.#last = undefined;
    return report;
  }

  /** Stops the agent, looks what is gone by then, and has a person decide about that. */
  async #hold(report: LossReport): Promise<void> {
    const { agent, look } = this.#options;
    await agent.suspend();
    const still = await look() ?? report;
    for (let step: LossQuestion["step"] = "ask"; !this.#isOver; step = "wait") {
      const verdict = await this.#weigh(still, step);
      if (verdict.kind === "end") return this.#end(verdict.detail);
      if (verdict.kind === "free") return agent.resume();
    }
  }

  async #weigh(report: LossReport, step: LossQuestion["step"]): Promise<LossVerdict> {
    const { host, sessionId } = this.#options;
    for (;;) {
      const { deleted, newlyDeleted: paths } = report;
      const verdict = await host.weigh({ sessionId, deleted, paths: paths.map(shownPath), step });
      if (verdict.kind !== "unknown" || this.#isOver) return verdict;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }

  #end(detail: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { agent, ui } = this.#options;
    ui.tell("error", `The run is ended, because of the files that it deleted: ${detail}`);
    agent.kill();
  }
}
