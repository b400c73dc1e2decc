import type { CallCredentials } from "../credentials/call_credentials.ts";
import type { Gate, SecretPrograms } from "../gate.ts";
import type { Connector } from "./connector.ts";
import type { Terminator } from "./terminator.ts";
import type { Limits, Timeouts } from "./transport_options.ts";
import type { Watchdog } from "../../net/watchdog.ts";

/** What all connections of a transport share. */
export interface Services {
  readonly gate: Gate;
  readonly credentials: CallCredentials;
  readonly secretPrograms: SecretPrograms;
  readonly connector: Connector;
  readonly terminator: Terminator;
  readonly watchdog: Watchdog;
  readonly timeouts: Timeouts;
  readonly limits: Limits;
}
