import { isAnnouncement } from "../approvals/announcement.ts";
import type { NoticeLevel } from "../daemon/helper_process.ts";

type Tell = (level: NoticeLevel, text: string) => void;

/** A desktop keeps what it is told on the screen for longer than this, in milliseconds. */
const PAUSE_MS = 5_000;

/**
 * Has the desktop say as well that something waits for a person. It is told nothing that an agent
 * chose: desktops take markup for what it is, and everybody can read a command line.
 */
export function withDesktop(
  tell: Tell,
  show: () => void = notifySend,
  now: () => number = () => performance.now(),
): Tell {
  let lastAt = -Infinity;
  return (level, text) => {
    tell(level, text);
    if (!isAnnouncement(text) || now() - lastAt < PAUSE_MS) return;
    lastAt = now();
    try {
      show();
    } catch {
      // There is no such program here: the terminal has said it.
    }
  };
}

function notifySend(): void {
  const child = new Deno.Command("notify-send", {
    args: [
      "--app-name=firma",
      "--urgency=critical",
      "An agent asks for your approval",
      "firma token list shows what waits; firma monitor approves it with one key.",
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  child.status.catch(() => {});
  child.unref();
}
