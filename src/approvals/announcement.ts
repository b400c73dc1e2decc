import type { Approval } from "./approval.ts";

/** A notice is one line of a terminal that somebody else writes to as well. */
const LONGEST_SUMMARY = 160;

const BEGINNING = "approval wanted, ";

/** What an operator is told where an agent has the terminal: one line, with what to type. Not escaped. */
export function announcement({ id, subject }: Approval): string {
  const { summary, challenges } = subject;
  const cut = summary.length > LONGEST_SUMMARY ? `${summary.slice(0, LONGEST_SUMMARY)}…` : summary;
  return `${BEGINNING}${challenges.map((each) => `"${each}"`).join(", ")}: ${cut}; ` +
    `to look at it: firma token list; to permit it: firma token approve ${id}`;
}

/** Whether a notice is an {@linkcode announcement}. */
export function isAnnouncement(notice: string): boolean {
  return notice.startsWith(BEGINNING);
}
