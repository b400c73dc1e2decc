/** The exit statuses of `firma policy`. */
export const STATUS = {
  ok: 0,
  /** A policy that is not valid, or a case that failed. */
  failed: 1,
  /** What was named cannot be read or makes no sense. */
  badInput: 2,
} as const;
