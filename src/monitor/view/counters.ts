import type { Count } from "../model/counts.ts";
import { fitLine, type Line, type Span, span } from "./line.ts";
import { ruleLine } from "./rule.ts";
import type { Scene } from "./scene.ts";
import { fitMiddle, fitText, visibleText } from "./width.ts";
import { grouped, QUIET, shortId, STRONG, TONES } from "./words.ts";

const BLOCKS = "▁▂▃▄▅▆▇█";
const BAR = "━";
const HALF_BAR = "╸";
const WORDS = ["ALLOW", "DENY", "ABORT", "STEP_UP", "DEFER", "MODIFY", "PASSTHROUGH"];

/** What was decided so far, in `height` lines: by decision, by action class and by agent. */
export function counterLines(scene: Scene, columns: number, height: number): Line[] {
  if (height <= 0) return [];
  if (height === 1) return [totalsLine(scene, columns)];
  const blocks = columns >= 124
    ? [
      { title: "decisions", width: 30, lines: decisionBlock },
      { title: "action classes", width: Math.floor((columns - 30) * 0.56), lines: classBlock },
      { title: "agents", width: 0, lines: agentBlock },
    ]
    : [
      { title: "decisions", width: 26, lines: decisionBlock },
      { title: "action classes", width: 0, lines: classBlock },
    ];
  const fixed = blocks.reduce((sum, { width }) => sum + width, 0);
  const sized = blocks.map((block) => ({ ...block, width: block.width || columns - fixed }));
  const bodies = sized.map(({ width, lines }) => lines(scene, width, height - 1));
  const rule = sized.flatMap(({ title, width }) => ruleLine(title, width));
  return [
    fitLine(rule, columns),
    ...Array.from(
      { length: height - 1 },
      (_, at) => sized.flatMap(({ width }, block) => fitLine(bodies[block]![at] ?? [], width)),
    ),
  ];
}

function totals({ board }: Scene): [word: string, total: number][] {
  return WORDS.map((word): [string, number] => [word, board.decisions.get(word)?.total ?? 0])
    .filter(([word, total], at) => at < 2 || total > 0 || word === "");
}

function toneOf(word: string) {
  return word === "ALLOW" || word === "PASSTHROUGH"
    ? TONES.good
    : word === "DENY"
    ? TONES.bad
    : TONES.warn;
}

function totalsLine(scene: Scene, columns: number): Line {
  const spans = totals(scene).flatMap(([word, total]): Span[] => [
    span(`  ${word} `, QUIET),
    span(grouped(total), total > 0 ? toneOf(word) : QUIET),
  ]);
  return fitLine(spans, columns);
}

function decisionBlock(scene: Scene, width: number, height: number): Line[] {
  const lines = totals(scene).map(([word, total]): Line => [
    span(fitText(grouped(total), 9, "right"), total > 0 ? { ...toneOf(word), bold: true } : QUIET),
    span(`  ${word}`, total > 0 ? {} : QUIET),
  ]);
  const shown = lines.slice(0, height - 1);
  return [...shown, rateLine(scene, width)];
}

/** Decisions a second, and how they went lately. */
function rateLine({ board, nowMs }: Scene, width: number): Line {
  const beats = board.rate.series(nowMs, Math.max(4, width - 14));
  const most = Math.max(1, ...beats.map(({ total }) => total));
  const recent = beats.slice(-10);
  const mean = recent.reduce((sum, { total }) => sum + total, 0) / Math.max(1, recent.length);
  const bars = beats.map(({ total, denied }): Span => {
    if (total === 0) return span(BLOCKS[0]!, QUIET);
    const level = Math.max(1, Math.round(total / most * (BLOCKS.length - 1)));
    return span(BLOCKS[level]!, denied > 0 ? { colour: "red" } : { colour: "green" });
  });
  const rate = mean >= 100 ? grouped(Math.round(mean)) : mean.toFixed(1);
  return [span("  "), ...bars, span(fitText(`${rate}/s`, 10, "right"), QUIET)];
}

function classBlock({ board }: Scene, width: number, height: number): Line[] {
  return countBlock(board.classes.sorted(), width, height, (name) => visibleText(name), "classes");
}

function agentBlock({ board }: Scene, width: number, height: number): Line[] {
  return countBlock(board.agents.sorted(), width, height, shortId, "agents");
}

function countBlock(
  counts: readonly (readonly [string, Readonly<Count>])[],
  width: number,
  height: number,
  nameOf: (name: string) => string,
  many: string,
): Line[] {
  const isCut = counts.length > height;
  const shown = counts.slice(0, isCut ? height - 1 : height);
  const most = Math.max(1, ...shown.map(([, { total }]) => total));
  const nameWidth = Math.min(
    Math.floor(width * 0.5),
    Math.max(6, ...shown.map(([name]) => nameOf(name).length)),
  );
  const barWidth = Math.max(0, width - nameWidth - 22);
  const lines = shown.map(([name, { total, denied }]): Line => [
    span("  "),
    span(fitMiddle(nameOf(name), nameWidth)),
    span(fitText(grouped(total), 8, "right"), STRONG),
    span("  "),
    ...barOf(total - denied, denied, most, barWidth),
    span(denied > 0 ? ` ${grouped(denied)} denied` : "", { colour: "red" }),
  ]);
  if (isCut) lines.push([span(`  and ${counts.length - shown.length} more ${many}`, QUIET)]);
  return lines;
}

/** A bar, the denied part of it in red at its end. */
function barOf(good: number, denied: number, most: number, width: number): Span[] {
  const halves = Math.max(1, Math.round((good + denied) / most * width * 2));
  const whole = Math.max(1, Math.floor(halves / 2));
  const bad = denied === 0 ? 0 : Math.min(whole, Math.max(1, Math.round(denied / most * width)));
  const rest = bad === 0 && halves > 1 && halves % 2 === 1 ? HALF_BAR : "";
  return [
    span(BAR.repeat(whole - bad) + rest, { colour: "cyan" }),
    span(BAR.repeat(bad), { colour: "red" }),
  ].filter(({ text }) => text !== "");
}
