import type { ExplainedDecision } from "../explain/explain.ts";
import type { Watched } from "../live.ts";
import type { Counts } from "../model/counts.ts";
import type { Row } from "../model/row.ts";
import { readHead } from "../explain/policy_texts.ts";
import { splitStatements } from "../../policy/statement.ts";

/** How many names of a counter are sent. */
const MOST_NAMES = 12;
/** Seconds of the rate. */
const RATE_SECONDS = 60;

/** A row as the page gets it. Text that an agent chose is in it as it is. */
export function rowMessage(row: Row): Readonly<Record<string, unknown>> {
  return {
    n: row.n,
    at: row.atMs,
    word: row.word,
    tone: row.tone,
    method: row.method,
    what: row.what,
    class: row.actionClass,
    agent: row.agentId,
    reason: row.reason,
    explains: row.decisionId !== "",
    ...(row.outcome !== undefined && { status: row.outcome.status }),
  };
}

/** What the page shows besides the rows. */
export function overviewMessage(live: Watched): Readonly<Record<string, unknown>> {
  const { board, standing, options } = live;
  const nowMs = live.now();
  const version = standing.bundleVersion || board.policyChanges.at(-1)?.bundle_version || "";
  return {
    now: nowMs,
    scope: options.scope,
    home: options.env.HOME ?? "",
    standing,
    log: board.log,
    decisions: counts(board.decisions),
    classes: counts(board.classes),
    agents: counts(board.agents),
    rate: board.rate.series(nowMs, RATE_SECONDS).map(({ total, denied }) => [total, denied]),
    policy: {
      version,
      changes: board.policyChanges.slice(-5).map((event) => ({
        at: Date.parse(event.timestamp),
        change: event.change,
        version: event.bundle_version,
        detail: event.detail,
      })),
      files: policyFiles(live),
    },
  };
}

function counts(counts: Counts): unknown {
  const sorted = counts.sorted();
  return {
    names: sorted.length,
    top: sorted.slice(0, MOST_NAMES).map(([name, { total, denied }]) => [name, total, denied]),
  };
}

function policyFiles({ explainer, standing, options }: Watched): unknown {
  const workspaces = [...standing.sessions.map(({ workspace }) => workspace), options.directory];
  const texts = explainer.knownPolicies(workspaces);
  return texts.flatMap(({ directory, version, files }) =>
    files.map(({ file, text }) => {
      const effects = splitStatements(text).map((statement) => readHead(statement.text).rest);
      return {
        directory,
        version,
        file,
        permits: effects.filter((rest) => rest.startsWith("permit")).length,
        forbids: effects.filter((rest) => rest.startsWith("forbid")).length,
      };
    })
  );
}

/** Why a decision was made, as the page gets it. */
export function whyMessage(row: Row, explained: ExplainedDecision | undefined): unknown {
  if (explained === undefined) return { row: rowMessage(row) };
  const { why, policies, unknownPolicies, policyNote, facts, particulars, remedy, command } =
    explained;
  return {
    row: rowMessage(row),
    why,
    detail: explained.event.detail,
    directory: explained.texts?.directory ?? "",
    policies,
    unknownPolicies,
    policyNote,
    facts,
    particulars,
    remedy,
    command,
  };
}
