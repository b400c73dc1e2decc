/**
 * `__broker`: the process that has the secrets. It talks JSON lines with the Sidecar that started
 * it, over its standard input and output, which nothing else can get hold of; it ends with them.
 * Its worker does the work and reaches what the credentials need alone; the thread here passes
 * lines on, and has no permission at all once that worker has loaded.
 */
import { programModule } from "../config/program_file.ts";
import { jsonLines } from "../core/json_lines.ts";
import type { FromBroker, ToBroker } from "./messages.ts";
import { brokerPermissions } from "./permissions.ts";
import { groupEnder } from "./process_groups.ts";
import { isProcessNotice, type ProcessNotice, ProcessWatch } from "./process_watch.ts";
import { makeUndumpable } from "./undumpable.ts";

/** Runs the broker until its standard input closes; exit code 1 when its worker broke. */
export async function main(): Promise<number> {
  makeUndumpable();
  // What ends the Sidecar on a terminal or by its unit ends this by its standard input.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => {});
  }
  const broken = Promise.withResolvers<number>();
  const orders = jsonLines(Deno.stdin.readable)[Symbol.asyncIterator]();
  const first = await orders.next();
  if (first.done) return 0;
  const start = first.value as Extract<ToBroker, { type: "start" }>;
  const worker = new Worker(programModule("src/broker/worker/main.ts"), {
    type: "module",
    name: "firma-broker",
    deno: { permissions: brokerPermissions(start.credentials, start.stores) },
  });
  worker.onerror = (event) => {
    event.preventDefault();
    broken.resolve(1);
  };
  const programs = new ProcessWatch(groupEnder());
  const encoder = new TextEncoder();
  const output = Deno.stdout.writable.getWriter();
  const { port1: port, port2 } = new MessageChannel();
  worker.postMessage(port2, [port2]);
  let serves = false;
  port.onmessage = async ({ data }: MessageEvent<FromBroker | ProcessNotice>) => {
    if (isProcessNotice(data)) return programs.hear(data);
    // Not earlier: what the worker is made of is read with the permissions of this thread.
    if (!serves) await giveUpEverything();
    serves = true;
    output.write(encoder.encode(`${JSON.stringify(data)}\n`)).catch(() => broken.resolve(0));
  };
  port.postMessage(start);
  const read = (async () => {
    for (let next = await orders.next(); !next.done; next = await orders.next()) {
      port.postMessage(next.value);
    }
    return 0;
  })();
  const code = await Promise.race([broken.promise, read]);
  worker.terminate();
  programs.endAll();
  return code;
}

async function giveUpEverything(): Promise<void> {
  for (const name of ["run", "ffi", "sys", "net", "read", "write", "env"] as const) {
    await Deno.permissions.revoke({ name });
  }
}
