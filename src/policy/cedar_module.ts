import { initSync } from "@cedar-policy/cedar-wasm/web";

let loading: Promise<WebAssembly.Module> | undefined;
let offered: (() => Uint8Array<ArrayBuffer>) | undefined;
let hasStarted = false;

/**
 * Cedar's WebAssembly module, read and compiled once (4 MB, 50 ms). Needs read
 * permission; hand the result to workers that have none.
 *
 * @throws When the file that ships with the package cannot be read.
 */
export function cedarModule(): Promise<WebAssembly.Module> {
  return loading ??= loadModule();
}

async function loadModule(): Promise<WebAssembly.Module> {
  return await WebAssembly.compile(await cedarBytes());
}

/**
 * The same before it is compiled, for workers that have come to need it.
 *
 * @throws When the file that ships with the package cannot be read.
 */
export function cedarBytes(): Promise<Uint8Array<ArrayBuffer>> {
  return Deno.readFile(cedarFile());
}

/**
 * The same at once, for `offerCedar`.
 *
 * @throws When the file that ships with the package cannot be read.
 */
export function readCedar(): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(cedarFile());
}

/**
 * How many bytes these are.
 *
 * @throws When the file that ships with the package is not there.
 */
export function cedarSize(): number {
  return Deno.statSync(cedarFile()).size;
}

function cedarFile(): URL {
  return new URL("cedar_wasm_bg.wasm", import.meta.resolve("@cedar-policy/cedar-wasm/web"));
}

/**
 * Starts Cedar in this thread. Everything else in `src/policy` needs that to
 * have happened, or `offerCedar`; a second call does nothing.
 */
export function initCedar(module: WebAssembly.Module): void {
  initSync({ module });
  hasStarted = true;
}

/**
 * Has Cedar start in this thread when it is first asked, which takes 20 ms then and 40 ms of CPU
 * less until then: many a run is decided without it.
 */
export function offerCedar(read: () => Uint8Array<ArrayBuffer>): void {
  offered ??= read;
}

/**
 * Starts Cedar unless it has started, or nobody offered it.
 *
 * @throws When what was offered cannot be read or compiled.
 */
export function startCedar(): void {
  if (hasStarted || offered === undefined) return;
  initCedar(new WebAssembly.Module(offered()));
  offered = undefined;
}
