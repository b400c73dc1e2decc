let broken = false;

/**
 * Runs a call into Cedar. A trap (such as an exhausted stack) leaves the
 * WebAssembly memory in an unknown state, so after one every further call in
 * this thread throws: no decision is better than a wrong one.
 */
export function callCedar<T>(call: () => T): T {
  if (broken) throw new Error("Cedar stopped after an earlier fault in this process");
  try {
    return call();
  } catch (cause) {
    if (cause instanceof WebAssembly.RuntimeError || cause instanceof RangeError) broken = true;
    throw cause;
  }
}
