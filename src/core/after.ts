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

/** Calls `action` every so many milliseconds, unless the function that comes back is called before. */
export function every(milliseconds: number, action: () => void): () => void {
  let stop = () => {};
  const wait = () => {
    stop = after(milliseconds, () => {
      wait();
      action();
    });
  };
  wait();
  return () => stop();
}

/** Like {@linkcode after}, but a process that has nothing else to do ends without it. */
export function afterIfAlive(milliseconds: number, action: () => void): () => void {
  let isOn = true;
  const cell = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  // Of Deno's timers, those that can be told so are Node's.
  const { value } = Atomics.waitAsync(cell, 0, 0, Math.max(1, milliseconds));
  void Promise.resolve(value).then(() => {
    if (isOn) action();
  });
  return () => {
    isOn = false;
    Atomics.notify(cell, 0);
  };
}
