import type { Line, Span } from "../../../src/monitor/view/line.ts";

/** The colours of a terminal of today. */
const COLOURS: Readonly<Record<string, string>> = {
  red: "#ff7b72",
  green: "#56d364",
  yellow: "#e3b341",
  blue: "#79c0ff",
  magenta: "#d2a8ff",
  cyan: "#56d4dd",
  grey: "#7d8590",
};
const GROUND = "#0d1117";
const TEXT = "#e6edf3";

/** A page that shows lines as a terminal with a frame would. */
export function pageOfLines(lines: readonly Line[], title: string): string {
  const body = lines.map((line) => line.map(spanHtml).join("")).join("\n");
  return `<!doctype html><meta charset="utf-8"><style>
    body { margin: 0; padding: 18px; background: #e9edf3; display: inline-block; }
    .window { background: ${GROUND}; border-radius: 10px; overflow: hidden; }
    .bar { height: 34px; background: #161b22; color: ${COLOURS.grey}; display: flex; gap: 8px;
      align-items: center; padding: 0 14px; font: 12px "JetBrains Mono", monospace; }
    .bar i { width: 12px; height: 12px; border-radius: 50%; background: #30363d; }
    .bar span { margin: 0 auto; padding-right: 60px; }
    pre { margin: 0; padding: 14px 16px 16px; color: ${TEXT};
      font: 13px/1.42 "JetBrains Mono", "DejaVu Sans Mono", "Noto Sans Mono CJK JP", monospace;
      font-variant-ligatures: none; }
  </style><div class="window"><div class="bar"><i></i><i></i><i></i><span>${
    escape(title)
  }</span></div>
  <pre>${body}</pre></div>`;
}

function spanHtml({ text, colour, bold, selected, inverse }: Span): string {
  const front = selected ? "#ffffff" : colour === undefined ? TEXT : COLOURS[colour]!;
  const style = [
    `color:${inverse ? GROUND : front}`,
    selected ? "background:#1f4b8f" : inverse ? `background:${front}` : "",
    bold ? "font-weight:600" : "",
  ].filter((part) => part !== "").join(";");
  return `<span style="${style}">${escape(text)}</span>`;
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}
