import type { Environment } from "../config/paths.ts";
import { explainDecision, type ExplainedDecision } from "./explain/explain.ts";
import type { PolicyTexts } from "./explain/policy_texts.ts";
import { PolicyLibrary } from "./explain/policy_library.ts";
import type { Board } from "./model/board.ts";
import type { Row } from "./model/row.ts";
import { parseEvent } from "../audit/parse_event.ts";
import type { Standing } from "./standing/standing.ts";

/** Explains the decisions of a board, with the policies of the projects that they were made in. */
export class RowExplainer {
  readonly #library: PolicyLibrary;
  readonly #fallback: string;

  /** `fallback`: where to look for policies of sessions that nobody knows the workspace of. */
  constructor(env: Environment, fallback: string) {
    this.#library = new PolicyLibrary(env);
    this.#fallback = fallback;
  }

  /** Explains a row with what is known now; nothing for a row that is no decision. */
  explain(row: Row, board: Board, standing: Standing): ExplainedDecision | undefined {
    const decided = row.decisionId === "" ? undefined : board.decisionRow(row.decisionId);
    const line = decided && board.lineOf(decided);
    const event = line === undefined ? undefined : parseEvent(line);
    if (event?.kind !== "decision") return undefined;
    const texts = this.#library.known(this.#workspace(row, board, standing));
    return explainDecision(event, decided?.outcome, texts);
  }

  /** Reads what explaining the row needs; resolves to whether there is something new. */
  refresh(row: Row, board: Board, standing: Standing): Promise<boolean> {
    return this.#library.refresh(this.#workspace(row, board, standing));
  }

  /** The policies of the projects around `workspaces` as they were read, each project once. */
  knownPolicies(workspaces: readonly string[]): PolicyTexts[] {
    for (const workspace of workspaces) this.#library.refresh(workspace);
    const texts = workspaces.flatMap((workspace) => this.#library.known(workspace) ?? []);
    return [...new Map(texts.map((found) => [found.directory, found])).values()];
  }

  #workspace({ sessionId }: Row, board: Board, { sessions }: Standing): string {
    const running = sessions.find((session) => session.sessionId === sessionId)?.workspace;
    return running || board.sessions.get(sessionId)?.event.workspace || this.#fallback;
  }
}
