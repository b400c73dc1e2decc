import { waitingLine } from "./approvals.ts";
import type { Line } from "./line.ts";
import { fitLine, type Span, span, spread, type Style } from "./line.ts";
import type { Scene } from "./scene.ts";
import { fitMiddle, fitText, visibleText } from "./width.ts";
import { ago, clock, counted, grouped, QUIET, shortId, shortPath, STRONG, TONES } from "./words.ts";

const DOT = "●";
const MOST_SESSIONS = 3;

/** The first lines: what runs, and whether anything about it is wrong. */
export function headerLines(scene: Scene, columns: number): Line[] {
  return [
    titleLine(scene, columns),
    ...waitingLine(scene, columns),
    runningLine(scene, columns),
    ...sessionLines(scene, columns),
  ];
}

function titleLine({ ui, nowMs, scope }: Scene, columns: number): Line {
  const live: Span[] = ui.pausedAt === undefined
    ? [span(` ${DOT} live`, TONES.good)]
    : [span(" ‖ paused", TONES.warn)];
  const left: Line = [
    span(" firma monitor ", { bold: true, inverse: true }),
    ...live,
    ...(scope === "" ? [] : [span(`  ${visibleText(scope)}`, QUIET)]),
  ];
  return spread(left, [span(`${clock(nowMs)} `, QUIET)], columns);
}

function runningLine(scene: Scene, columns: number): Line {
  return spread(
    [span(" "), ...componentSpans(scene)],
    [...policySpans(scene), ...healthSpans(scene), span(" ")],
    columns,
  );
}

function componentSpans({ standing, nowMs }: Scene): Span[] {
  const spans: Span[] = [];
  for (const { component, state, sinceMs, restarts } of standing.components) {
    const name = component === "sidecar" ? "Sidecar" : "Authority";
    const style = state === "running" ? TONES.good : state === "dead" ? TONES.bad : TONES.warn;
    const since = state === "running" ? ` ${ago(nowMs - sinceMs)}` : ` ${state}`;
    spans.push(span(`${DOT} `, style), span(name, STRONG), span(since, QUIET));
    if (restarts > 0) spans.push(span(`, ${counted(restarts, "restart")}`, TONES.warn));
    spans.push(span("   "));
  }
  if (standing.ownSidecars > 0) {
    spans.push(span(`${DOT} `, TONES.good), span(counted(standing.ownSidecars, "run"), STRONG));
    spans.push(span("   "));
  }
  if (spans.length === 0) spans.push(span("○ ", QUIET), span("nothing runs   ", QUIET));
  if (standing.problem !== "") spans.push(span(visibleText(standing.problem), TONES.bad));
  return spans;
}

function policySpans({ standing, board }: Scene): Span[] {
  const last = board.policyChanges.at(-1);
  const version = standing.bundleVersion || last?.bundle_version || "";
  const spans: Span[] = [];
  if (version !== "") {
    spans.push(span("bundle ", QUIET), span(visibleText(version).slice(0, 16)));
  }
  if (!standing.isFresh) spans.push(span(" stale", TONES.bad));
  if (last?.change === "refused") spans.push(span(" edit refused", TONES.bad));
  if (last?.change === "gone") spans.push(span(" policies gone", TONES.bad));
  if (spans.length > 0) spans.push(span("  "));
  return spans;
}

function healthSpans({ standing, board }: Scene): Span[] {
  const { lines, damaged, gaps, alarm } = board.log;
  const [text, style] = healthOf();
  return [span("audit ", QUIET), span(text, style)];

  function healthOf(): [string, Style] {
    if (standing.audit === "failed") return ["cannot be written, every call is denied", TONES.bad];
    if (alarm !== "") return [visibleText(alarm), TONES.bad];
    if (damaged > 0) return [counted(damaged, "damaged line"), TONES.bad];
    if (gaps > 0) return [counted(gaps, "gap"), TONES.bad];
    return [`ok, ${counted(lines, "line")}`, TONES.good];
  }
}

function sessionLines({ standing, nowMs, home }: Scene, columns: number): Line[] {
  const { sessions } = standing;
  const shown = sessions.length > MOST_SESSIONS ? sessions.slice(-(MOST_SESSIONS - 1)) : sessions;
  const commandWidth = Math.min(
    24,
    Math.max(8, ...shown.map(({ command }) => visibleText(command).length)),
  );
  const lines = shown.map((session): Line => {
    const isWide = columns >= 96;
    const room = Math.max(4, columns - commandWidth - (isWide ? 56 : 42));
    return fitLine([
      span("   "),
      span(fitText(visibleText(session.command), commandWidth), STRONG),
      span("  "),
      span(fitMiddle(shortPath(session.workspace, home), Math.min(36, room))),
      span(isWide ? `  ${fitText(shortId(session.agentId), 12)}` : "", QUIET),
      span(fitText(ago(nowMs - session.startedMs), 8, "right"), QUIET),
      span(fitText(grouped(session.actions), 8, "right")),
      span(" calls", QUIET),
      span(fitText(grouped(session.denies), 7, "right"), session.denies > 0 ? TONES.bad : QUIET),
      span(" denied", QUIET),
    ], columns);
  });
  if (shown.length < sessions.length) {
    const more = sessions.length - shown.length;
    lines.push(fitLine([span(`   and ${counted(more, "more session")}`, QUIET)], columns));
  }
  return lines;
}
