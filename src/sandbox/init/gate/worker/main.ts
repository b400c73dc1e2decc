/** The thread that answers the kernel: it waits for it alone and runs no event loop meanwhile. */
import type { Shim } from "../../../shims/places.ts";
import type { ShimOrders } from "../../../shims/shim_gate.ts";
import { ExecGate, type GateOrders } from "../exec_gate.ts";
import { libc } from "../libc.ts";

/** What the thread says. */
export type GateReport =
  | { readonly kind: "ready" }
  /** What stands in the places of governed programs, where the kernel does not ask. */
  | { readonly kind: "shims"; readonly shims: readonly Shim[] }
  /** The gate has ended, and with it every way to start a program. */
  | { readonly kind: "ended"; readonly reason: string };

const post = (report: GateReport) =>
  (self as unknown as { postMessage(report: GateReport): void }).postMessage(report);

self.addEventListener("message", (event) => {
  const orders = (event as MessageEvent<GateOrders | ShimOrders>).data;
  if ("places" in orders) void serveShims(orders).catch(tellEnd);
  else listen(orders);
}, { once: true });

function listen(orders: GateOrders): void {
  try {
    new ExecGate(orders).run();
  } catch (cause) {
    tellEnd(cause);
  } finally {
    libc.close(orders.listener);
  }
}

/** Loads what only few machines need. */
async function serveShims(orders: ShimOrders): Promise<never> {
  const { ShimGate } = await import("../../../shims/shim_gate.ts");
  const gate = new ShimGate(orders);
  post({ kind: "shims", shims: gate.prepare() });
  return gate.run();
}

function tellEnd(cause: unknown): void {
  post({ kind: "ended", reason: cause instanceof Error ? cause.message : String(cause) });
}

post({ kind: "ready" });
