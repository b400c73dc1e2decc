/**
 * Calls `action` in `milliseconds`, unless the function that comes back is called before. Unlike
 * `setTimeout()`, whose first call loads the timers of Node (10 ms that a start would wait for), it
 * does not keep the process going once it is called off, and cannot be had again.
 */
export function after(milliseconds: number, action: () => void): () => void {
  const signal = AbortSignal.timeout(milliseconds);
  signal.addEventListener("abort", action, { once: true });
  return () => signal.removeEventListener("abort", action);
}
