import { Buffer } from "node:buffer";
import type { AbortReason } from "../../core/decision.ts";
import type { Route } from "../gate.ts";
import { ConnReader } from "./conn_reader.ts";
import { closeQuietly } from "../../net/close_quietly.ts";
import { formatProblem } from "./http1/format_problem.ts";
import { linger } from "../../net/linger.ts";
import { relay } from "./relay.ts";
import type { Services } from "./services.ts";
import type { SocketReader } from "../../net/socket_reader.ts";
import { UpstreamFailure } from "./upstream.ts";

/** A connection that is to be tunnelled without being looked into. */
export interface TunnelOpening {
  readonly reader: SocketReader;
  readonly eventId: string;
  readonly route: Route;
  readonly signal: AbortSignal;
  /** Whether the agent sent a CONNECT and waits for the answer. */
  readonly answer: boolean;
  /** Looks at what the agent sends first; `false` when it may not pass. */
  readonly mayPass: () => Promise<boolean>;
}

const ESTABLISHED = Buffer.from("HTTP/1.1 200 Connection Established\r\n\r\n");

/** Carries a tunnel to its end. Never rejects. */
export async function tunnel(opening: TunnelOpening, services: Services): Promise<void> {
  const { reader, route, signal } = opening;
  const { gate, connector, watchdog, timeouts } = services;
  const started = performance.now();
  let requestBytes = 0;
  let responseBytes = 0;
  let status = 0;
  let headLatencyMs = 0;
  let abortReason: AbortReason | "" = "";
  let detail = "";
  let conn: Deno.Conn | undefined;
  let lingering: Promise<void> | undefined;
  const close = (why: string) => {
    detail ||= why;
    reader.socket.destroy();
    closeQuietly(conn);
  };
  const onRevoked = () => close("closed by a later decision");
  signal.addEventListener("abort", onRevoked);
  const watch = watchdog.watch(timeouts.idleMs, () => {
    abortReason = "CONNECTOR_TIMEOUT";
    close("idle time-out");
  });
  try {
    if (signal.aborted) onRevoked();
    conn = await connector.openTcp(route);
    if (reader.socket.destroyed) throw new Error("client went away");
    if (opening.answer) reader.socket.write(ESTABLISHED);
    if (!(await opening.mayPass())) throw new Error("refused by what it carried");
    status = 200;
    headLatencyMs = performance.now() - started;
    const upstream = { conn, reader: new ConnReader(conn) };
    await relay({ agent: reader, upstream }, {
      toUpstream: (bytes) => {
        requestBytes += bytes;
        watch.touch();
      },
      toAgent: (bytes) => {
        responseBytes += bytes;
        watch.touch();
      },
    });
  } catch (error) {
    detail ||= error instanceof Error ? error.message : String(error);
    if (error instanceof UpstreamFailure && abortReason === "" && !reader.socket.destroyed) {
      abortReason = error.reason;
      if (opening.answer) {
        const problem = gate.abortProblem(opening.eventId, "network.connect", abortReason);
        reader.socket.write(formatProblem(problem));
        lingering = linger(reader, watchdog);
      }
    }
    if (lingering === undefined) reader.socket.destroy();
  } finally {
    closeQuietly(conn);
    watch.clear();
    signal.removeEventListener("abort", onRevoked);
    gate.outcome(opening.eventId, {
      status,
      abortReason,
      detail,
      requestBytes,
      responseBytes,
      headLatencyUs: Math.round(headLatencyMs * 1_000),
      latencyUs: Math.round((performance.now() - started) * 1_000),
    });
  }
  await lingering?.catch(() => {});
}
