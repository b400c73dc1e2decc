import { initSync } from "@cedar-policy/cedar-wasm/web";

let loading: Promise<WebAssembly.Module> | undefined;

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
  const script = import.meta.resolve("@cedar-policy/cedar-wasm/web");
  return await WebAssembly.compile(await Deno.readFile(new URL("cedar_wasm_bg.wasm", script)));
}

/**
 * Starts Cedar in this thread. Everything else in `src/policy` needs that to
 * have happened; a second call does nothing.
 */
export function initCedar(module: WebAssembly.Module): void {
  initSync({ module });
}
