import type { Tone } from "../model/row.ts";
import type { Style } from "./line.ts";
import { visibleText } from "./width.ts";

/** How each tone looks. */
export const TONES: Readonly<Record<Tone, Style>> = {
  good: { colour: "green" },
  bad: { colour: "red", bold: true },
  warn: { colour: "yellow" },
  info: { colour: "cyan" },
  quiet: { colour: "grey" },
};

/** What stands back. */
export const QUIET: Style = { colour: "grey" };
/** What stands out. */
export const STRONG: Style = { bold: true };

/** An identifier, by the end that tells it from others: `agt_…4x9q2k`. */
export function shortId(id: string): string {
  const shown = visibleText(id);
  const mark = shown.indexOf("_");
  return mark < 0 || shown.length <= mark + 8
    ? shown
    : `${shown.slice(0, mark + 1)}…${shown.slice(-6)}`;
}

/** A path, with the home directory as `~`. */
export function shortPath(path: string, home: string): string {
  const isBelow = home !== "" && (path === home || path.startsWith(`${home}/`));
  return visibleText(isBelow ? `~${path.slice(home.length)}` : path);
}

/** A time that passed, in its largest unit or two: `42s`, `14m`, `2h 05m`, `3d 4h`. */
export function ago(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1_000));
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours}h ${String(minutes % 60).padStart(2, "0")}m`;
  return `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

/** The time of day on the clock of this machine. */
export function clock(atMs: number): string {
  const at = new Date(atMs);
  if (Number.isNaN(at.getTime())) return "--:--:--";
  return [at.getHours(), at.getMinutes(), at.getSeconds()]
    .map((part) => String(part).padStart(2, "0")).join(":");
}

/** A number with its thousands apart. */
export function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A number and what it counts. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${grouped(value)} ${value === 1 ? one : many}`;
}
