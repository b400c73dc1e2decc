/** The thread that answers the kernel: it waits for it alone and runs no event loop meanwhile. */
import { ExecGate, type GateOrders } from "../exec_gate.ts";
import { libc } from "../libc.ts";

/** What the thread says. */
export type GateReport =
  | { readonly kind: "ready" }
  /** The gate has ended, and with it every way to start a program. */
  | { readonly kind: "ended"; readonly reason: string };

const post = (report: GateReport) =>
  (self as unknown as { postMessage(report: GateReport): void }).postMessage(report);

self.addEventListener("message", (event) => {
  const orders = (event as MessageEvent<GateOrders>).data;
  try {
    new ExecGate(orders).run();
  } catch (cause) {
    post({ kind: "ended", reason: cause instanceof Error ? cause.message : String(cause) });
  } finally {
    libc.close(orders.listener);
  }
}, { once: true });

post({ kind: "ready" });
