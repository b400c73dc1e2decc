/**
 * Where Cedar's WebAssembly lies once a worker has asked for it. Reading 4 MB and cloning them into
 * the worker is a tenth of a start, and many a run is decided without. The worker may read no
 * file, and decides without waiting for messages: so it sleeps until the main thread has laid the
 * module into memory that both see.
 */

const HEADER_BYTES = 8;
/** Words of the header. */
const STATE = 0;
const LENGTH = 1;
const EMPTY = 0;
const FILLED = 1;
const FAILED = 2;

/** One that takes longer is not waited for: whatever needs a decision is denied. */
const LIMIT_MS = 10_000;

/** Memory for a module of at most `size` bytes; the kernel hands it out when it is filled. */
export function cedarMemory(size: number): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADER_BYTES + size);
}

/** Lays the module there, or `undefined` where it cannot be read, and wakes who waits for it. */
export function fillCedarMemory(memory: SharedArrayBuffer, module: Uint8Array | undefined): void {
  const header = headerOf(memory);
  const fits = module !== undefined && module.length <= memory.byteLength - HEADER_BYTES;
  if (fits) {
    new Uint8Array(memory, HEADER_BYTES).set(module);
    header[LENGTH] = module.length;
  }
  Atomics.store(header, STATE, fits ? FILLED : FAILED);
  Atomics.notify(header, STATE);
}

/**
 * The module, once whoever hears `ask` has laid it there; sleeps until then.
 *
 * @throws {Error} when it cannot be read, or takes too long.
 */
export function takeFromCedarMemory(
  memory: SharedArrayBuffer,
  ask: () => void,
  limitMs = LIMIT_MS,
): Uint8Array<ArrayBuffer> {
  const header = headerOf(memory);
  if (Atomics.load(header, STATE) !== FILLED) {
    Atomics.store(header, STATE, EMPTY);
    ask();
    Atomics.wait(header, STATE, EMPTY, limitMs);
  }
  const state = Atomics.load(header, STATE);
  if (state !== FILLED) {
    throw new Error(`Cannot start Cedar: ${state === FAILED ? "it cannot be read" : "no answer"}`);
  }
  return new Uint8Array(memory, HEADER_BYTES, header[LENGTH]).slice();
}

function headerOf(memory: SharedArrayBuffer): Int32Array<SharedArrayBuffer> {
  return new Int32Array(memory, 0, HEADER_BYTES / Int32Array.BYTES_PER_ELEMENT);
}
