import type { Key } from "./keys.ts";

/** The approval that is open. */
export interface OpenApproval {
  /** What is decided is the one that was drawn, whatever has come or gone meanwhile. */
  readonly id: string;
  /** Lines of it that are scrolled away. */
  readonly top: number;
}

/** What a key leads to while an approval is open. */
export interface ApprovalPressed {
  /** Absent: it is closed. */
  readonly open?: OpenApproval;
  readonly rule?: { readonly id: string; readonly verb: "approve" | "deny" };
}

/** The approval that is open after a key; `waiting` are the identifiers of what waits now. */
export function pressApproval(
  open: OpenApproval,
  key: Key,
  waiting: readonly string[],
): ApprovalPressed {
  const isWaiting = waiting.includes(open.id);
  if (typeof key === "object") {
    switch (key.char) {
      case "y":
        return isWaiting ? { open, rule: { id: open.id, verb: "approve" } } : { open };
      case "n":
        return isWaiting ? { open, rule: { id: open.id, verb: "deny" } } : { open };
      case "l":
        return { open: other(open, 1, waiting) };
      case "h":
        return { open: other(open, -1, waiting) };
      case "A":
      case "q":
        return {};
      default:
        return { open };
    }
  }
  switch (key) {
    case "right":
    case "tab":
      return { open: other(open, 1, waiting) };
    case "left":
      return { open: other(open, -1, waiting) };
    case "down":
    case "page-down":
      return { open: { ...open, top: open.top + (key === "down" ? 1 : 10) } };
    case "up":
    case "page-up":
      return { open: { ...open, top: Math.max(0, open.top - (key === "up" ? 1 : 10)) } };
    case "escape":
      return {};
    default:
      return { open };
  }
}

function other(open: OpenApproval, by: number, waiting: readonly string[]): OpenApproval {
  if (waiting.length === 0) return open;
  const at = waiting.indexOf(open.id);
  const next = at < 0 ? 0 : (at + by + waiting.length) % waiting.length;
  return { id: waiting[next]!, top: 0 };
}
