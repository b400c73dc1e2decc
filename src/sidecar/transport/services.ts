import type { CallCredentials } from "../credentials/call_credentials.ts";
import type { Executions, Gate } from "../gate.ts";
import type { Connector } from "./connector.ts";
import type { Terminator } from "./terminator.ts";
import type { Limits, Timeouts } from "./transport_options.ts";
import type { Watchdog } from "../../net/watchdog.ts";

/** What all connections of a transport share. */
export interface Services {
  readonly gate: Gate;
  readonly credentials: CallCredentials;
  readonly executions: Executions;
  /** Of the session's socket, where it has one. */
  readonly socketDirectory?: string;
  readonly connector: Connector;
  readonly terminator: Terminator;
  readonly watchdog: Watchdog;
  readonly timeouts: Timeouts;
  readonly limits: Limits;
}
