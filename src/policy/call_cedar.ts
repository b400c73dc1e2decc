import { startCedar } from "./cedar_module.ts";

let broken = false;

/**
 * Runs a call into Cedar. A trap (such as an exhausted stack) leaves the
 * WebAssembly memory in an unknown state, so after one every further call in
 * this thread throws: no decision is better than a wrong one.
 */
export function callCedar<T>(call: () => T): T {
  unlessBroken(undefined);
  try {
    startCedar();
    return call();
  } catch (cause) {
    if (cause instanceof WebAssembly.RuntimeError || cause instanceof RangeError) broken = true;
    throw cause;
  }
}

/**
 * Hands on what was found without Cedar, and starts it for that no more than before; but after a
 * trap this throws like {@linkcode callCedar}, so that everything is denied.
 */
export function unlessBroken<T>(value: T): T {
  if (broken) throw new Error("Cedar stopped after an earlier fault in this process");
  return value;
}
