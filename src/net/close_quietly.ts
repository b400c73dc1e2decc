/** Closes a connection that may be closed already. */
export function closeQuietly(conn: { close(): void } | undefined): void {
  try {
    conn?.close();
  } catch { /* it was */ }
}
