/** `__sidecar`: the Sidecar of one run, started by `firma run`; talks JSON lines on stdout. */
import { parseArgs } from "node:util";
import type { FirmaError, Result } from "../core/result.ts";
import { errorLine } from "./notices.ts";
import { Sidecar } from "./sidecar.ts";

/** What the Sidecar says on standard output, one JSON object a line. */
type Line =
  | { readonly type: "ready"; readonly control_socket: string }
  | { readonly type: "fatal"; readonly error: Omit<FirmaError, "cause"> }
  | { readonly type: "notice"; readonly level: "info" | "warn" | "error"; readonly text: string };

/** Runs the Sidecar until standard input closes or a signal asks it to end. */
export async function main(args: string[]): Promise<number> {
  const ending = new AbortController();
  endOnSignal(ending);
  const sidecar = await start(args);
  if (!sidecar.ok) {
    for (const error of sidecar.error.slice(1)) {
      say({ type: "notice", level: "error", text: errorLine(error) });
    }
    const { code, message, cure, at } = sidecar.error[0]!;
    say({ type: "fatal", error: { code, message, ...(cure && { cure }), ...(at && { at }) } });
    return 1;
  }
  say({ type: "ready", control_socket: sidecar.value.controlSocket });
  endOnEof(ending);
  await aborted(ending.signal);
  const drained = await sidecar.value.close();
  if (!drained.ok) say({ type: "notice", level: "error", text: drained.error.message });
  return drained.ok ? 0 : 1;
}

async function start(args: string[]): Promise<Result<Sidecar, readonly FirmaError[]>> {
  const { values } = parseArgs({
    args,
    options: {
      config: { type: "string" },
      "config-digest": { type: "string" },
      "run-dir": { type: "string" },
    },
  });
  const { config, "run-dir": runDirectory } = values;
  if (config === undefined || runDirectory === undefined) {
    const message = "Cannot start the Sidecar: --config and --run-dir are required";
    return { ok: false, error: [{ code: "USAGE", message }] };
  }
  return await Sidecar.start({
    configFile: config,
    configDigest: values["config-digest"],
    runDirectory,
    env: Deno.env.toObject(),
    notify: (level, text) => say({ type: "notice", level, text }),
  });
}

function say(line: Line): void {
  try {
    const bytes = new TextEncoder().encode(`${JSON.stringify(line)}\n`);
    for (let sent = 0; sent < bytes.length;) sent += Deno.stdout.writeSync(bytes.subarray(sent));
  } catch {
    // Nobody listens any more: the end of standard input says so too.
  }
}

function endOnSignal(ending: AbortController): void {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => ending.abort());
  }
}

/** Whoever started this Sidecar holds the other end; however that process dies, it closes. */
async function endOnEof(ending: AbortController): Promise<void> {
  const buffer = new Uint8Array(256);
  try {
    while (await Deno.stdin.read(buffer) !== null);
  } catch {
    // As good as closed.
  }
  ending.abort();
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) =>
    signal.addEventListener("abort", () => resolve(), { once: true })
  );
}
