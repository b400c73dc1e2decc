/**
 * `__init`: firma's program in the outer layer. It owns the sandbox's network, so that everything
 * which leaves goes to the Sidecar, and starts the agent in the inner layer. It loads no package
 * and little of firma beyond its own folder, because every `firma run` waits for it; nor does it
 * use Deno's streams or timers before there is an agent, which load when they are first used.
 */
import {
  type GroundPlan,
  HANDOFF_SOCKET,
  HAS_GATE,
  type HostMessage,
  type InitMessage,
  jsonLines,
  type LaunchPlan,
  PROXY_SOCKET,
  SHIELDED_SIGNALS,
} from "../handoff.ts";
import { readPieces } from "../../core/read_pieces.ts";
import { GateUnavailable } from "./gate/listener.ts";
import { GateThread } from "./gate/start.ts";
import { ARTIFACTS, loadFilter } from "../seccomp/artifact.ts";
import { openBridge } from "./bridge.ts";
import { serveDns } from "./dns_server.ts";
import { startAgent } from "./inner_layer.ts";
import { signalAgent } from "./agent_process.ts";
import { coverSockets } from "./cover_sockets.ts";
import { closeInheritedOnExec } from "./descriptors.ts";
import { NameTable } from "./name_table.ts";
import { RefusalReports } from "./refusals/reports.ts";
import type { Refusal } from "./refusals/tally.ts";
import { watchRefusals } from "./refusals/watch.ts";
import { routeEverythingHere } from "./routes.ts";
import { SocketOwners } from "./socket_owner.ts";
import { followStops } from "./stop_watch.ts";
import { Suspension } from "./suspension.ts";
import { buildView } from "./view/build_view.ts";

/** Runs the outer layer to its end; never returns. */
export async function main(): Promise<never> {
  closeInheritedOnExec();
  // First, because it takes longest: it loads while everything else is set up.
  const gate = Deno.env.has(HAS_GATE) ? new GateThread() : undefined;
  const handoff = await Deno.connect({ transport: "unix", path: HANDOFF_SOCKET });
  const encoder = new TextEncoder();
  let told: Promise<unknown> = Promise.resolve();
  const tell = (message: InitMessage) =>
    told = told.then(() => handoff.write(encoder.encode(JSON.stringify(message) + "\n")));
  const refusals = new RefusalReports((report) => void tell({ type: "refused", ...report }));
  try {
    const messages = jsonLines(readPieces(handoff));
    openNetwork((refusal) => refusals.add(refusal));
    const filter = loadFilter(ARTIFACTS.filters[Deno.build.arch]);
    filter.catch(() => {}); // told where it is awaited
    // Sent by confine(), which nothing of the agent's can reach; its end is that of the run.
    const ground = (await messages.next()).value as GroundPlan | undefined;
    if (ground === undefined) Deno.exit(1);
    if (ground.view) buildView(ground.view);
    const plan = (await messages.next()).value as LaunchPlan | undefined;
    if (plan === undefined) Deno.exit(1);
    if (!plan.execGate) gate?.dismiss();
    if (plan.shielded) shieldSelf();
    coverSockets(plan.sockets);
    const agent = await startAgent(plan, filter, gate, async (reason) => {
      await tell({ type: "shims", reason });
      await messages.next(); // the operator is told before the agent has the terminal
    });
    await tell({ type: "started" });
    refusals.begin();
    void gate?.ended.then(gateEnded);
    const suspension = new Suspension(agent.pid);
    void (async () => {
      for await (const message of messages) {
        switch ((message as HostMessage).type) {
          case "terminate":
            signalAgent(agent.pid, "SIGTERM");
            break;
          case "suspend":
            suspension.suspend();
            await tell({ type: "suspended" });
            break;
          case "resume":
            suspension.resume();
        }
      }
    })();
    if (Deno.stdin.isTerminal()) followStops(agent.pid, () => suspension.isActive);
    const code = await agent.ended;
    refusals.end();
    await tell({ type: "ended", code });
    Deno.exit(code);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    const code = cause instanceof GateUnavailable ? "EXEC_GATE" : undefined;
    await tell({ type: "failed", message, ...(code && { code }) });
    Deno.exit(1);
  }
}

/** Without the gate no program can be started any more: there is no use in going on. */
function gateEnded(reason: string): void {
  console.error(`firma: The command is ended, because the execution gate has: ${reason}`);
  Deno.exit(1);
}

/** By listening, not by ignoring: Deno handles these signals itself, and ends where nobody listens. */
function shieldSelf(): void {
  for (const name of Object.keys(SHIELDED_SIGNALS)) {
    Deno.addSignalListener(`SIG${name}` as Deno.Signal, () => {});
  }
}

function openNetwork(onRefusal: (refusal: Refusal) => void): void {
  routeEverythingHere();
  const names = new NameTable();
  const hostname = hasIpv6() ? "::" : "0.0.0.0";
  serveDns(hostname, (name) => names.addressOf(name));
  const owners = new SocketOwners();
  openBridge({ hostname, proxySocket: PROXY_SOCKET, names, owners });
  watchRefusals({ names, owners, onRefusal });
}

function hasIpv6(): boolean {
  try {
    return Deno.readTextFileSync("/proc/net/if_inet6").trim() !== "";
  } catch {
    return false;
  }
}

if (import.meta.main) await main();
